import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RouteOptions,
} from 'fastify'
import type { Context } from '../context.ts'
import { type Budget, currentBudget, withBudget } from '../database/budget.ts'
import type { Role, ShownUserRow } from '../database/schema.ts'
import type { LimitReached } from '../errors.ts'
import type { Taken } from '../limits/counters.ts'
import type { RouteLimitName } from '../limits/limits.ts'
import { networkKey } from '../lib/networks.ts'
import { newId } from '../lib/random.ts'
import { SECOND_MS } from '../lib/units.ts'
import { BODY_MAX_BYTES, readBodies } from './bodies.ts'
import { answerBrokenRequest, answerForNode } from './broken-requests.ts'
import { type Cause, readAddress } from './client.ts'
import { limitPipelining } from './connections.ts'
import { allowOrigins } from './cors.ts'
import { refuseCrossSite, reportForeignOrigins } from './cross-site.ts'
import { answerHead } from './head.ts'
import { securityHeaders } from './headers.ts'
import { handleError } from './problem.ts'
import { countAttempts, limitByNetwork, limitByUser } from './rate-limits.ts'
import { logRequests } from './request-log.ts'
import { refuseUnroutable, ROUTER_OPTIONS } from './route-refusals.ts'
import { compileSerializer } from './serialization.ts'
import { compileValidator } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The access that guards require, also shown in the OpenAPI document. Absent: a public route. */
    access?: 'user' | 'admin'
    /** The route also accepts application/x-www-form-urlencoded. */
    form?: true
    /** The route uses the refresh token in the cookie; CORS allows credentials for it. */
    refreshCookie?: true
  }
  interface FastifyInstance {
    /** Every route, also of plugins, in the order of registration. */
    routes: readonly RouteOptions[]
  }
  interface FastifyRequest {
    state: RequestState
  }
}

/** Shared by the steps, the guard and the route of one request. */
interface RequestState {
  /** The client's address, read first: it is lost when the client disconnects. */
  readonly ip: string | null
  readonly budget: Budget
  /** Read once: Fastify makes a new object at each reading. */
  readonly route: FastifyRequest['routeOptions']
  /** The caller; guards set it. */
  session?: SignedIn
  /** For routes with `hashAdmission`: aborted when the client disconnects before the response. */
  hangUp?: AbortSignal
  /** Refused by a full hash queue; these requests share one log line a second. */
  isShed?: true
  /** Points taken from the route's limits, refunded when the status of the response does not count. */
  taken?: Map<RouteLimitName, Taken>
  /** The limit that refused the request or suppressed its message. */
  limitReached?: LimitReached | undefined
}

/** The session and the user of a valid access token, read from the database for each request. */
export interface SignedIn {
  readonly sessionId: string
  readonly userId: number
  readonly role: Role
  readonly user: ShownUserRow
  readonly cause: Cause
}

export type App = ReturnType<typeof createFastify>

/** The order of the hooks is the documented precedence of refusals. */
const STEPS: readonly ((app: FastifyInstance, ctx: Context) => void)[] = [
  answerHead,
  startRequests,
  logRequests,
  limitPipelining,
  reportForeignOrigins,
  // Before all refusals, so that they carry CORS headers.
  allowOrigins,
  refuseUnroutable, // 404, 405, 414
  refuseCrossSite, // 403
  limitByNetwork, // 429
  // The guards of routes: 401, 403
  limitByUser, // 429
  readBodies, // 415, 413, 400
  countAttempts, // 429, for concurrent requests
  // The schemas of routes: 422
]

/** The server without routes. */
export function createFastify(ctx: Context) {
  const headers = securityHeaders(ctx.config)
  const app = Fastify({
    ...optionsOf(ctx),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, headers),
    frameworkErrors(error, request: FastifyRequest, reply: FastifyReply) {
      reply.headers({ ...headers, 'x-request-id': request.id })
      handleError(error, request, reply)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(compileValidator)
  app.setSerializerCompiler(compileSerializer)
  // A child logger with the id costs each request more than its look-up: lines name their request themselves.
  app.setChildLoggerFactory((log, _id, { level }) =>
    level === undefined ? log : log.child({}, { level }),
  )
  app.setErrorHandler(handleError)
  answerForNode(app.server, headers)
  const routes: RouteOptions[] = []
  app.decorate('routes', routes)
  app.addHook('onRoute', (route) => void routes.push(route))
  for (const step of STEPS) step(app, ctx)
  return app
}

const HEADERS_MAX_BYTES = 16 * 1024

function optionsOf({ config, log }: Context) {
  // Widened, so that the app is a plain FastifyInstance.
  const loggerInstance: FastifyBaseLogger = log
  return {
    loggerInstance,
    // logRequests writes the request log.
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: newId,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: 10 * SECOND_MS,
    connectionTimeout: 30 * SECOND_MS,
    keepAliveTimeout: config.keepAliveMs,
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: 10 * SECOND_MS,
      connectionsCheckingInterval: SECOND_MS,
      // isWellFramed checks it: Node's own response is a bare 400.
      requireHostHeader: false,
    },
    routerOptions: ROUTER_OPTIONS,
    // answerHead does it: Fastify would read a stream to its end.
    exposeHeadRoutes: false,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  } as const
}

/** Sets the request state, the security headers and the database budget. */
function startRequests(app: FastifyInstance, ctx: Context): void {
  const headers = securityHeaders(ctx.config)
  app.decorateRequest('state', null as unknown as RequestState)
  app.addHook('onRequest', (request, reply, done) => {
    const ip = readAddress(request)
    const budget = { remainingMs: ctx.requestBudgetMs, caller: networkKey(ip, 48) }
    request.state = { ip, budget, route: request.routeOptions }
    reply.headers(headers)
    reply.header('x-request-id', request.id)
    withBudget(budget, done)
  })
  // Body parsing loses the asynchronous context and thus the budget.
  app.addHook('preValidation', ({ state: { budget } }, _reply, done) =>
    currentBudget() === budget ? done() : withBudget(budget, done),
  )
}
