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
import type { LimitReached } from '../errors.ts'
import type { Taken } from '../limits/counters.ts'
import type { RouteLimitName } from '../limits/limits.ts'
import { newId } from '../lib/random.ts'
import { SECOND_MS } from '../lib/units.ts'
import { BODY_MAX_BYTES, readBodies } from './bodies.ts'
import { answerBrokenRequest, answerForNode } from './broken-requests.ts'
import { type Cause, readAddress } from './client.ts'
import { endConnectionsWhenStopping, limitPipelining } from './connections.ts'
import { allowOrigins } from './cors.ts'
import { securityHeaders } from './headers.ts'
import { handleError } from './problem.ts'
import { limitByNetwork, limitByUser } from './rate-limits.ts'
import { logRequests } from './request-log.ts'
import { refuseUnroutable, ROUTER_OPTIONS } from './route-refusals.ts'
import { compileValidator } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required of the caller; without it the route is public. Guards set it, the OpenAPI document reads it. */
    access?: 'user' | 'admin'
    /** The route also takes application/x-www-form-urlencoded. */
    form?: true
  }
  interface FastifyRequest {
    state: RequestState
  }
}

/** Shared by the steps, the guard and the route of one request. */
interface RequestState {
  /** The client's address, read at the start: after a hang-up it is unknown. */
  readonly ip: string | null
  readonly budget: Budget
  /** The caller; guards set it. */
  session?: SignedIn
  /** For routes with `hashAdmission`: aborted when the client hangs up before the answer. */
  hangUp?: AbortSignal
  /** Refused by a full hash queue: the log has one line a second for all such requests. */
  isShed?: true
  /** By the limits of the route, to be refunded when the answer does not count. */
  taken?: Map<RouteLimitName, Taken>
  /** The limit that refused the request, or the message that it asked for. */
  limitReached?: LimitReached | undefined
}

/** The session and the user behind a valid access token, read afresh for each request. */
export interface SignedIn {
  readonly sessionId: string
  readonly userId: number
  readonly role: Role
  readonly user: PublicUserRow
  readonly cause: Cause
}

export type App = ReturnType<typeof createFastify>

/** Each adds its hooks. A request passes them in this order, which is the contract's order of refusals. */
const STEPS: readonly ((app: FastifyInstance, ctx: Context) => void)[] = [
  startRequests,
  logRequests,
  limitPipelining,
  // The refusals that follow carry the headers of CORS, too.
  allowOrigins,
  endConnectionsWhenStopping,
  refuseUnroutable, // 404, 405, 414
  limitByNetwork, // 429
  // The guards of routes: 401, 403
  limitByUser, // 429
  readBodies, // 415, 413, 400
  // The schemas of routes: 422
]

/** The server without a single route. */
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
  app.setErrorHandler(handleError)
  answerForNode(app.server, headers)
  for (const step of STEPS) step(app, ctx)
  return app
}

const HEADERS_MAX_BYTES = 16 * 1024

function optionsOf({ config, log }: Context) {
  // Widened, so that the app is a FastifyInstance like any other.
  const loggerInstance: FastifyBaseLogger = log
  return {
    loggerInstance,
    // One line per request of our own, by logRequests.
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
    routerOptions: ROUTER_OPTIONS,
    exposeHeadRoutes: false,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  } as const
}

/** Sets the state and the headers, and one budget for every wait for the database. */
function startRequests(app: FastifyInstance, ctx: Context): void {
  const headers = securityHeaders(ctx.config)
  app.decorateRequest('state', null as unknown as RequestState)
  app.addHook('onRequest', (request, reply, done) => {
    const budget = { leftMs: ctx.requestBudgetMs }
    request.state = { ip: readAddress(request), budget }
    reply.headers(headers)
    reply.header('x-request-id', request.id)
    withBudget(budget, done)
  })
  // Reading a body loses the asynchronous context, and with it the budget.
  app.addHook('preValidation', (request, _reply, done) => withBudget(request.state.budget, done))
}
