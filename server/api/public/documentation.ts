import { isDeepStrictEqual } from 'node:util'
import swagger from '@fastify/swagger'
import Fastify, { type FastifySchema, type RouteOptions } from 'fastify'
import { IsOptional } from 'typebox'
import type { ErrorCode } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { isAuthUrl } from '../../http/cross-site.ts'
import { problem, PROBLEM_TYPE, STATUS } from '../../http/problem.ts'
import { HOST_NAME } from '../auth/refresh-cookie.ts'
import { SETTINGS } from '../../settings/settings.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** The errors specific to this route; the errors that follow from its schema are added. */
    errors?: readonly ErrorCode[]
    /** The form variant of the body, if it differs from the JSON body. */
    formBody?: object
  }
}

const TAGS = [
  { name: 'Authentication', description: 'Sign up, verify, log in, refresh, log out.' },
  { name: 'Me', description: 'The account of the caller.' },
  { name: 'Users', description: 'User administration.' },
  { name: 'Mail', description: 'Delivery of emails and text messages, for admins.' },
  { name: 'Audit', description: 'The audit log, for admins.' },
  { name: 'System', description: 'Figures, recurring jobs and settings, for admins.' },
  { name: 'Discovery', description: 'Metadata for services that verify access tokens.' },
  { name: 'Operations', description: 'Probes for load balancers and operators.' },
]

const DESCRIPTION = `Sign-up, email verification, login, sessions, roles and user administration.

Send the access token as \`Authorization: Bearer …\`. Refresh tokens rotate: keep the \`refresh_token\` of each response.
Reuse of an old refresh token ends the session.

The base path is \`/api/v1\`. The same routes are available without it (\`/auth/login\`) for clients of the service that
this one replaces; use the base path in new clients. \`HEAD\` works wherever \`GET\` does.

Every error is \`application/problem+json\` (RFC 9457) with a stable \`code\`.`

/** The document for a shop of the default name; docs/openapi.json is a committed copy. */
export async function apiDocument(app: App): Promise<object> {
  await app.ready()
  return describeRoutes(app.routes, SETTINGS.SHOP_NAME.default)
}

/** Takes a tenth of a second: keep the result. */
export async function describeRoutes(
  routes: readonly RouteOptions[],
  shopName: string,
  publicPath = '',
): Promise<object> {
  // An app of its own, so that the one that serves carries neither the plugin nor its data.
  const describer = Fastify({ exposeHeadRoutes: false })
  describer.setValidatorCompiler(() => () => true)
  describer.setSerializerCompiler(() => String)
  await describer.register(swagger, {
    openapi: header(shopName, publicPath),
    transform: ({ schema, url, route }) => ({ schema: documented({ ...schema }, route), url }),
    transformObject: (document) => {
      const openapi = 'openapiObject' in document ? document.openapiObject : {}
      describeBodies(openapi as OpenApi)
      return withNamedSchemas(openapi as OpenApi)
    },
  })
  for (const route of routes)
    if (route.schema?.hide !== true && route.method !== 'HEAD') describer.route(route)
  await describer.ready()
  return describer.swagger()
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', description: 'Always `about:blank`; distinguish errors by `code`.' },
    title: { type: 'string', description: 'The reason phrase of the status.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A human-readable explanation in one sentence.' },
    code: {
      type: 'string',
      enum: Object.keys(STATUS),
      description: 'A stable error code: handle errors by this code, not by detail.',
    },
    request_id: {
      type: 'string',
      description: 'The request id, as in `X-Request-Id` and the log.',
    },
    errors: {
      type: 'array',
      description: 'Only with `validation_failed`: the invalid fields.',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        properties: {
          pointer: {
            type: 'string',
            description: 'A JSON pointer (RFC 6901) into the body, or the name of a parameter.',
          },
          code: {
            type: 'string',
            description: 'The violated rule, such as required, format or too_short.',
          },
          detail: { type: 'string', description: 'An explanation for a person.' },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
} as const

function header(shopName: string, publicPath: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: `${shopName} API`,
      version: '1',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicPath || '/', description: 'This service' }],
    tags: TAGS,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA as object },
      securitySchemes: {
        // First, so that the Authorize dialog starts with the form for people.
        password: {
          type: 'oauth2' as const,
          description: 'Enter your email as the username. Leave the client fields unchanged.',
          flows: { password: { tokenUrl: `${publicPath}/api/v1/auth/login`, scopes: {} } },
        },
        bearer: { type: 'http' as const, scheme: 'bearer', bearerFormat: 'JWT' },
        refresh_cookie: {
          type: 'apiKey' as const,
          in: 'cookie',
          name: HOST_NAME,
          description:
            'The refresh token, for pages of this origin and of `CORS_ORIGINS` on the same site. Authorizes a refresh and a log-out, nothing else.',
        },
      },
    },
  }
}

function documented(
  schema: FastifySchema & Record<string, unknown>,
  route: RouteOptions,
): FastifySchema {
  const { errors = [], formBody, response, ...rest } = schema
  const codes = new Set<ErrorCode>([...errors, ...impliedErrors(schema, route)])
  const consumes = route.config?.form ? { consumes: ['application/json', FORM] } : {}
  return {
    ...rest,
    ...consumes,
    ...(formBody === undefined ? {} : { 'x-form-body': formBody }),
    ...(IsOptional(schema.body) ? { 'x-body-optional': true } : {}),
    security: schema.security ?? (route.config?.access === undefined ? [] : SIGNED_IN),
    response: { ...(response as object), ...problemResponses([...codes]) },
  }
}

/** Either scheme is sufficient. */
const SIGNED_IN = [{ password: [] }, { bearer: [] }]

/** The errors that follow from the input of a route and from its access rule. */
function impliedErrors(schema: FastifySchema, route: RouteOptions): ErrorCode[] {
  const errors: ErrorCode[] = ['internal_error', 'uri_too_long', 'malformed_request']
  if (route.config?.access !== undefined) {
    errors.push('authentication_required', 'invalid_token', 'database_unavailable')
  }
  if (route.config?.access === 'admin') errors.push('forbidden')
  if (isAuthUrl(route.url)) errors.push('cross_site_request')
  if (route.config?.limits !== undefined) errors.push('too_many_requests')
  if (schema.body !== undefined) {
    errors.push('body_too_large', 'unsupported_media_type', 'validation_failed')
    errors.push('request_timeout', 'database_unavailable')
  }
  if (schema.params !== undefined || schema.querystring !== undefined)
    errors.push('validation_failed')
  return errors
}

function problemResponses(codes: readonly ErrorCode[]): Record<number, object> {
  const statuses = [...new Set(codes.map((code) => STATUS[code]))].toSorted((a, b) => a - b)
  const entries = statuses.map((status) => {
    const here = codes.filter((code) => STATUS[code] === status)
    const examples = here.map((code) => [code, { value: exampleProblem(code) }])
    return [
      status,
      {
        description: here.map((code) => `\`${code}\``).join(', '),
        content: {
          [PROBLEM_TYPE]: {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(examples),
          },
        },
        ...(HEADERS[status] === undefined ? {} : { headers: HEADERS[status] }),
      },
    ]
  })
  return Object.fromEntries(entries)
}

const RETRY_AFTER = {
  'Retry-After': {
    type: 'integer',
    description: 'Seconds to wait before the next attempt.',
  },
}
const HEADERS: Readonly<Record<number, object>> = {
  429: {
    ...RETRY_AFTER,
    'RateLimit-Policy': {
      type: 'string',
      description: 'The limit that was reached: its name, quota and window in seconds.',
      example: '"login";q=10;w=600',
    },
    RateLimit: {
      type: 'string',
      description: 'The remaining quota, and the seconds until it increases.',
      example: '"login";r=0;t=30',
    },
  },
  503: RETRY_AFTER,
}

function exampleProblem(code: ErrorCode): object {
  const fields = [{ pointer: '/email', code: 'required', detail: 'This field is required.' }]
  return problem(
    code,
    'b2e0f1a4-6c1d-4a57-9a39-0d6d3a1f2c55',
    code === 'validation_failed' ? fields : undefined,
  )
}

const FORM = 'application/x-www-form-urlencoded'

interface OpenApi {
  components?: { schemas?: Record<string, unknown> }
  paths?: Record<string, Record<string, Operation>>
}
interface Operation {
  'x-form-body'?: object
  'x-body-optional'?: true
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> }
}

/** The plugin supports one required body schema per route; the form of the login is OAuth's. */
function describeBodies(openapi: OpenApi): void {
  for (const operation of Object.values(openapi.paths ?? {}).flatMap((item) =>
    Object.values(item),
  )) {
    const { 'x-form-body': form, 'x-body-optional': optional = false, requestBody } = operation
    delete operation['x-form-body']
    delete operation['x-body-optional']
    if (requestBody === undefined) continue
    requestBody.required = !optional
    if (form !== undefined) requestBody.content[FORM] = { schema: form }
  }
}

/** Moves each schema with a title to the components, which gives generated clients named types. */
function withNamedSchemas(openapi: OpenApi): object {
  const schemas: Record<string, unknown> = { ...openapi.components?.schemas }
  // A reviver sees inner schemas first, and its document shares nothing with the schemas that validate.
  const paths = JSON.parse(JSON.stringify(openapi.paths), (_key, value) => {
    if (typeof value?.title !== 'string' || value.properties === undefined) return value
    const { title, ...schema } = value
    if (title in schemas && !isDeepStrictEqual(schemas[title], schema))
      throw new Error(`two schemas have the title ${title}`)
    schemas[title] = schema
    return { $ref: `#/components/schemas/${title}` }
  })
  return { ...openapi, paths, components: { ...openapi.components, schemas } }
}
