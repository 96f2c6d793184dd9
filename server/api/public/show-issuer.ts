import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { CACHED_BY_VERIFIERS } from '../../http/headers.ts'

const PATH = '/.well-known/oauth-authorization-server'

const url = (description: string, path: string) =>
  Type.String({ description, examples: [`https://shop.example${path}`] })

const Metadata = Type.Object(
  {
    issuer: url('Exactly the `iss` of access tokens.', ''),
    jwks_uri: Type.Optional(
      url('The keys; absent with `ALGORITHM=HS256`.', '/.well-known/jwks.json'),
    ),
    token_endpoint: url('Takes the password form.', '/api/v1/auth/login'),
    grant_types_supported: Type.Array(Type.Literal('password')),
    response_types_supported: Type.Array(Type.Literal('code'), {
      maxItems: 0,
      description: 'Empty: there is no authorization endpoint.',
    }),
    token_endpoint_auth_methods_supported: Type.Array(Type.Literal('none')),
  },
  {
    title: 'IssuerMetadata',
    description: 'The metadata that a service needs to verify access tokens.',
  },
)

const schema = {
  operationId: 'showIssuer',
  tags: ['Discovery'],
  summary: 'Get the authorization server metadata',
  description:
    'Returns the issuer of access tokens and the location of the public keys (RFC 8414). The service is not an OpenID provider. If `PUBLIC_URL` has a path, append it to this path (RFC 8414 section 3.1).',
  response: { 200: Metadata },
}

export function showIssuerRoute(app: App, ctx: Context): void {
  const { publicUrl, publicPath } = ctx.config
  const metadata = {
    issuer: publicUrl,
    ...(ctx.signingKeys && { jwks_uri: `${publicUrl}/.well-known/jwks.json` }),
    token_endpoint: `${publicUrl}/api/v1/auth/login`,
    grant_types_supported: ['password' as const],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['none' as const],
  }
  // Excludes encoded characters and those that are special to the router.
  const below = /^(?:\/[\w.~-]+)+$/.test(publicPath) ? [`${PATH}${publicPath}`] : []
  for (const path of [PATH, ...below]) {
    const options = { schema: path === PATH ? schema : { ...schema, hide: true } }
    app.get(path, options, (_request, reply) => {
      reply.header('cache-control', CACHED_BY_VERIFIERS)
      return metadata
    })
  }
}
