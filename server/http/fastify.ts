import cors from '@fastify/cors'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Context } from '../context.ts'
import { type Budget, withBudget } from '../database/budget.ts'
import type { PublicUserRow, Role } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { newId } from '../lib/random.ts'
import { SECOND_MS } from '../lib/units.ts'
import { allowedMethods, pathOf } from './allowed-methods.ts'
import { readBodiesStrictly } from './bodies.ts'
import type { Cause } from './client.ts'
import { limitPipelining } from './connections.ts'
import { answerBrokenRequest, answerForNode, isWellFramed } from './broken-requests.ts'
import { securityHeaders } from './headers.ts'
import { handleError } from './problem.ts'
import { limitByNetwork, limitByUser } from './rate-limits.ts'
import { logRequests } from './request-log.ts'
import { compileValidator } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call: everybody, who is signed in, or admins. Set by guards; read by the OpenAPI document. */
    access?: 'user' | 'admin'
    /** The route also takes application/x-www-form-urlencoded. */
    form?: true
  }
  interface FastifyRequest {
    databaseBudget: Budget
    /** Who asks, as of this request; guards set it. */
    session: SignedIn | undefined
  }
}

/** The session and the user behind a valid access token, read afresh for each request. */
export interface SignedIn {
  readonly sessionId: string
  readonly userId: number
  readonly role: Role
  readonly user: PublicUserRow
  readonly cause: Cause
}

const BODY_MAX_BYTES = 64 * 1024
/** Where everybody may send, and nothing is longer than a password and a token. */
const AUTH_BODY_MAX_BYTES = 16 * 1024
const HEADERS_MAX_BYTES = 16 * 1024
const URL_MAX_BYTES = 2 * 1024

export type App = ReturnType<typeof createFastify>

/** The server without a single route: limits, parsers, headers, ids, errors and one log line per request. */
export function createFastify(ctx: Context) {
  const headers = securityHeaders(ctx.config)
  // Widened, so that the app is a FastifyInstance like any other.
  const loggerInstance: FastifyBaseLogger = ctx.log
  const app = Fastify({
    loggerInstance,
    // One line per request of our own, below.
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    requestIdHeader: false,
    genReqId: newId,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: 10 * SECOND_MS,
    connectionTimeout: 30 * SECOND_MS,
    keepAliveTimeout: 72 * SECOND_MS,
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: 10 * SECOND_MS,
      connectionsCheckingInterval: SECOND_MS,
      // Checked by isWellFramed: Node's own answer is a bare 400.
      requireHostHeader: false,
    },
    // The URL's limit holds for parameters too; the router's own would answer before the guards.
    routerOptions: { maxParamLength: URL_MAX_BYTES },
    exposeHeadRoutes: false,
    trustProxy: ctx.config.trustedProxies.length > 0 ? [...ctx.config.trustedProxies] : false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, headers),
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...headers, 'x-request-id': request.id })
      handleError(error, request, reply)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.setValidatorCompiler(compileValidator)
  app.setErrorHandler(handleError)
  answerForNode(app.server, headers)
  limitByUser(app, ctx)
  readBodiesStrictly(app)
  app.addHook('onRoute', (route) => {
    if (/(^|\/)auth\//.test(route.url)) route.bodyLimit = AUTH_BODY_MAX_BYTES
  })
  app.decorateRequest('databaseBudget', null as unknown as Budget)
  app.decorateRequest('session', undefined)
  app.decorateRequest('hangUp', undefined)
  app.decorateRequest('isShed', false)

  logRequests(app, ctx)
  limitPipelining(app)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers)
    reply.header('x-request-id', request.id)
    request.databaseBudget = { leftMs: ctx.requestBudgetMs }
    withBudget(request.databaseBudget, done)
  })
  const methodsFor = allowedMethods(app)
  allowOrigins(app, ctx.config.corsOrigins)
  endConnectionsWhenStopping(app)
  // After CORS, so that these refusals carry its headers, too.
  refuseByRoute(app, methodsFor)
  limitByNetwork(app, ctx)
  // Reading a body loses the asynchronous context; the budget goes on where it was.
  app.addHook('preValidation', (request, _reply, done) => withBudget(request.databaseBudget, done))

  return app
}

/** A connection kept alive after its last answer would hold up the stop until the client hangs up. */
function endConnectionsWhenStopping(app: FastifyInstance): void {
  let stopping = false
  app.addHook('preClose', (done) => {
    stopping = true
    done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done()
  })
}

/** Exact origins, no credentials; what is not a preflight of an allowed origin is an ordinary OPTIONS. */
function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const answer = {
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: ['Link', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: 600,
  }
  void app.register(cors, {
    delegator: (request, done) => {
      const preflight = request.headers['access-control-request-method'] !== undefined
      const allowed = origins.includes(request.headers.origin ?? '')
      done(null, { ...answer, origin: [...origins], preflight: preflight && allowed })
    },
  })
}

/** 404, 405 and 414, in this order, before anything else is looked at, the body least of all. */
function refuseByRoute(app: FastifyInstance, methodsFor: (path: string) => string[]): void {
  const answerNotFound = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = methodsFor(pathOf(request.url))
    if (allowed.length === 0) throw new AppError('not_found')
    reply.header('allow', allowed.join(', '))
    throw new AppError('method_not_allowed')
  }
  app.setNotFoundHandler(answerNotFound)
  // Node still hands over what was pipelined behind an answer that closes (RFC 9112 section 9.6).
  const distrusted = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    if (distrusted.has(socket) || !isWellFramed(request.raw)) {
      distrusted.add(socket)
      reply.header('connection', 'close')
      throw new AppError('malformed_request')
    }
    // The wildcard is the preflight route of the CORS plugin.
    if (request.is404 || request.routeOptions.url === '*') answerNotFound(request, reply)
    const { id } = request.params as { id?: string }
    // Every path of ours is plain ASCII: an encoded one is an alias, made to slip past a rule somewhere.
    // The router takes `GET *` for `GET /`.
    const path = pathOf(request.url)
    if (!path.startsWith('/') || path.includes('%') || id === '') throw new AppError('not_found')
    if (Buffer.byteLength(request.url) > URL_MAX_BYTES) throw new AppError('uri_too_long')
  })
}
