// The limit: only what any such service must do, by the shortest way. No checks, no audit log, no
// refusals; nobody should run it.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { jwtVerify } from 'jose'
import { pino } from 'pino'
import { securityHeaders } from '../server/http/headers.ts'
import { ARGON2 } from './equal-cost.ts'
import { openStore, type Row } from './limit-store.ts'

const LIFETIME_S = 1800

const { env } = process
const key = randomBytes(32)
const log = pino({ level: env['LOG_LEVEL'] ?? 'info' })
const store = await openStore(env['DATABASE_URL'] ?? '')
const COLUMNS = 'email, full_name, phone, role, verified_at, disabled_at, created_at, updated_at'
const findSession = store.prepare(
  'session',
  `select users.id, users.${COLUMNS.replaceAll(', ', ', users.')}, expires_at, revoked_at
  from sessions join users on users.id = sessions.user_id where sessions.id = ?`,
)
const findUser = store.prepare('user', 'select id, password_hash from users where email = ?')
const openSession = store.prepare(
  'open',
  'insert into sessions (id, user_id, generation, created_at, expires_at, ip) values (?, ?, 0, ?, ?, ?)',
)
const rotate = store.prepare(
  'rotate',
  'update sessions set generation = generation + 1, expires_at = ?, ip = ? where id = ? and generation = ? returning user_id, generation',
)
const countRead = store.prepare(
  'count',
  'update reads set pages = pages + 1 where user_id = 1 and ip = ? returning user_id',
)
const list = store.prepare('list', `select id, ${COLUMNS} from users order by id limit ?`)

const app = Fastify({ genReqId: () => randomUUID() })
const headers = securityHeaders({ hsts: false })
app.addHook('onRequest', (request, reply, done) => {
  reply.headers(headers).header('x-request-id', request.id)
  done()
})
app.addHook('onResponse', (request, reply, done) => {
  log.info(
    {
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      duration_ms: reply.elapsedTime,
      ip: request.ip,
    },
    'request',
  )
  done()
})

const text = { type: 'string' }
const textOrNull = { type: ['string', 'null'] }
const User = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    email: text,
    full_name: textOrNull,
    phone: textOrNull,
    role: text,
    is_verified: { type: 'boolean' },
    disabled: { type: 'boolean' },
    created_at: text,
    updated_at: text,
  },
}
const Tokens = {
  type: 'object',
  properties: {
    access_token: text,
    refresh_token: text,
    token_type: text,
    expires_in: { type: 'integer' },
  },
}
const answer = (schema: object) => ({ schema: { response: { 200: schema } } })

app.get('/health', () => 'ok')
app.get('/me', answer(User), async (request, reply) => {
  const row = await sessionOf(request)
  return row === undefined ? refuse(reply) : toUser(row)
})
app.get<{ Querystring: { limit: string } }>(
  '/users',
  answer({ type: 'array', items: User }),
  async (request, reply) => {
    if ((await sessionOf(request)) === undefined) return refuse(reply)
    return (await list(Number(request.query.limit))).map(toUser)
  },
)
// Ours counts each page that an admin reads in the audit log, before it sends it.
app.get<{ Querystring: { limit: string } }>(
  '/users/counted',
  answer({ type: 'array', items: User }),
  async (request, reply) => {
    if ((await sessionOf(request)) === undefined) return refuse(reply)
    const rows = await list(Number(request.query.limit))
    await countRead(request.ip)
    return rows.map(toUser)
  },
)
app.post<{ Body: { email: string; password: string } }>(
  '/auth/login',
  answer(Tokens),
  async (request, reply) => {
    const [user] = await findUser(request.body.email)
    const { id, password_hash: known } = user ?? {}
    if (!(await verify(String(known), request.body.password))) return refuse(reply)
    const sessionId = randomUUID()
    const now = Date.now()
    const expiresAt = new Date(now + LIFETIME_S * 1000).toISOString()
    await openSession(sessionId, Number(id), new Date(now).toISOString(), expiresAt, request.ip)
    return tokens(sign(Number(id), sessionId), sessionId, 0)
  },
)
app.post<{ Body: { refresh_token: string } }>(
  '/auth/refresh',
  answer(Tokens),
  async (request, reply) => {
    const [sessionId = '', generation] = request.body.refresh_token.split('.')
    const expiresAt = new Date(Date.now() + LIFETIME_S * 1000).toISOString()
    const [row] = await rotate(expiresAt, request.ip, sessionId, Number(generation))
    if (row === undefined) return refuse(reply)
    return tokens(SIGNED, sessionId, Number(row['generation']))
  },
)
app.post<{ Body: { email: string; password: string } }>('/auth/signup', async (request, reply) => {
  const { email, password } = request.body
  await store.signUp(email, await hash(password, ARGON2), new Date().toISOString())
  return reply.code(201).send({ email })
})
/** The limit of a refresh is its update: it signs nothing. */
const SIGNED = sign(1, randomUUID())
await app.listen({ port: Number(env['PORT']), host: '127.0.0.1' })

interface Token {
  readonly sessionId: string
  readonly expiresAt: number
}

const seen = new Map<string, Token>()

async function sessionOf(request: FastifyRequest): Promise<Row | undefined> {
  const bearer = request.headers.authorization?.slice('Bearer '.length) ?? ''
  let token = seen.get(bearer)
  if (token === undefined) {
    const { payload } = await jwtVerify(bearer, key)
    token = { sessionId: String(payload['sid']), expiresAt: payload.exp ?? 0 }
    seen.set(bearer, token)
  }
  const now = Date.now()
  if (token.expiresAt * 1000 < now) return undefined
  const [row] = await findSession(token.sessionId)
  return row !== undefined && row['revoked_at'] === null ? row : undefined
}

function refuse(reply: FastifyReply) {
  return reply.code(401).send()
}

function toUser(row: Row) {
  const { id, email, full_name, phone, role, created_at, updated_at } = row
  const is_verified = row['verified_at'] !== null
  const disabled = row['disabled_at'] !== null
  return { id, email, full_name, phone, role, is_verified, disabled, created_at, updated_at }
}

function tokens(accessToken: string, sessionId: string, generation: number) {
  return {
    access_token: accessToken,
    // As long as ours.
    refresh_token: `${sessionId}.${generation}.${'x'.repeat(43)}`,
    token_type: 'bearer',
    expires_in: LIFETIME_S,
  }
}

function sign(userId: number, sessionId: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = { sid: sessionId, sub: String(userId), iat: now, exp: now + LIFETIME_S }
  const signed = `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}
