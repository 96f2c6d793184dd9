import assert from 'node:assert/strict'
import type { InjectOptions } from 'fastify'
import { createApp } from '../../server/app.ts'
import { readConfig } from '../../server/settings/config.ts'
import { type Context, createContext } from '../../server/context.ts'
import { migrate } from '../../server/database/migrate.ts'
import { openDatabase } from '../../server/database/open.ts'
import { deliverNext } from './mailers.ts'
import { openRedis } from '../../server/limits/redis.ts'
import { createLogger } from '../../server/lib/log.ts'
import { createMetrics } from '../../server/lib/metrics.ts'
import { createMemoryMailer, createMemorySms } from './memory-senders.ts'
import { canonicalEmail } from '../../server/lib/emails.ts'
import { DAY_MS, MINUTE_MS } from '../../server/lib/units.ts'
import { openSession } from '../../server/accounts/sessions.ts'
import { issueTokens } from '../../server/accounts/tokens.ts'
import { createDeliveries } from '../../server/worker.ts'
import { insertVerifiedUser } from '../../server/accounts/addresses.ts'
import { makeFirstAdmin } from '../../server/accounts/admins.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** Cheap hashes, and a key that no placeholder list knows. */
export const SETTINGS = {
  SECRET_KEY: 'test-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc',
  ARGON2_MEMORY_KIB: '8',
  ARGON2_PASSES: '1',
  HASH_CONCURRENCY: '2',
  HASH_QUEUE: '1000',
  LOG_LEVEL: 'info',
}
export const PASSWORD = 'correct horse battery staple'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Parsed JSON, or undefined for an answer without a body. */
  readonly body: any
  readonly text: string
}
interface Sent {
  readonly body?: unknown
  readonly token?: string | undefined
  readonly headers?: Record<string, string>
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Record<string, string>
  readonly ip?: string
}
/** A verified user, signed in. */
export interface TestUser {
  readonly id: number
  readonly email: string
  readonly password: string
  readonly access: string
  readonly refresh: string
}

interface NewUser {
  readonly email: string
  readonly password: string
  readonly fullName: string | null
  readonly role: 'user' | 'admin'
}

interface StartOptions {
  /** Starts another replica on the database of this service, with its clock. */
  readonly replicaOf?: {
    readonly databaseUrl: string
    readonly clock: { nowMs: number }
    readonly mailer: ReturnType<typeof createMemoryMailer>
    readonly sms: ReturnType<typeof createMemorySms>
  }
  /** The clock's start, Unix milliseconds. */
  readonly nowMs?: number
  /** By default more than a busy machine needs; little where what happens without time is tested. */
  readonly requestBudgetMs?: number
}

export type Service = Awaited<ReturnType<typeof startService>>

/**
 * A whole service on a database of its own, with a clock that only moves when told to and mail that
 * is only delivered when told to. `await using` ends it.
 */
export async function startService(
  settings: Record<string, string> = {},
  { replicaOf, nowMs = Date.UTC(2026, 0, 1, 12), requestBudgetMs = MINUTE_MS }: StartOptions = {},
) {
  const database: TestDatabase = replicaOf
    ? { url: replicaOf.databaseUrl, drop: async () => {} }
    : await createTestDatabase()
  const { config, secrets } = readConfig({ ...SETTINGS, DATABASE_URL: database.url, ...settings })
  const clock = replicaOf?.clock ?? { nowMs }
  const mailer = replicaOf?.mailer ?? createMemoryMailer()
  const sms = replicaOf?.sms ?? createMemorySms()
  const logged: string[] = []
  const log = await createLogger(
    { level: config.logLevel, format: 'json' },
    { write: (line) => void logged.push(line) },
  )
  const backend = await openDatabase(secrets.databaseUrl, {
    poolMax: config.databasePoolSize,
    statementTimeoutMs: MINUTE_MS,
  })
  if (!replicaOf && secrets.databaseUrl.kind === 'sqlite')
    await migrate(secrets.databaseUrl, backend)
  const redis = secrets.redisUrl === undefined ? undefined : openRedis(secrets.redisUrl, log)
  const ctx: Context = await createContext({
    config,
    secrets,
    backend,
    log,
    redis,
    metrics: createMetrics(),
    now: () => clock.nowMs,
    requestBudgetMs,
  })
  if (config.adminEmail !== undefined && secrets.adminPassword !== undefined) {
    await makeFirstAdmin(ctx, config.adminEmail, secrets.adminPassword)
  }
  const app = createApp(ctx)
  let users = 0
  let requests = 0
  /** Limits count by network: what a test does not mean to count comes from one of its own. */
  const nextAddress = () =>
    `10.${(++requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`

  async function request(method: string, url: string, sent: Sent = {}): Promise<Answer> {
    const headers: Record<string, string> = { ...sent.headers }
    if (sent.token !== undefined) headers['authorization'] = `Bearer ${sent.token}`
    if (sent.form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    const payload = sent.form ? new URLSearchParams(sent.form).toString() : sent.body
    const options = { method, url, headers, remoteAddress: sent.ip ?? nextAddress() }
    const response = await app.inject({
      ...options,
      ...(payload === undefined ? {} : { payload }),
    } as InjectOptions)
    const isJson = response.body !== '' && /json/.test(String(response.headers['content-type']))
    return {
      status: response.statusCode,
      headers: response.headers as Record<string, string>,
      body: isJson ? response.json() : undefined,
      text: response.body,
    }
  }
  const post = (url: string, body?: unknown, sent: Sent = {}) =>
    request('POST', url, { ...sent, body })

  /** Sends everything that is due now, by any channel; returns how many messages that took. */
  async function deliverMail(): Promise<number> {
    let count = 0
    for (const delivery of Object.values(createDeliveries(ctx, { mail: mailer, sms })))
      while (await deliverNext(delivery, true)) count++
    return count
  }
  const mailsTo = (email: string) => mailer.sent.filter((mail) => mail.to === email)

  /** The code in the newest mail to an address. */
  async function codeFor(email: string): Promise<string> {
    await deliverMail()
    const code = mailsTo(email)
      .map((mail) => /\b[0-9]{6}\b/.exec(mail.text)?.[0])
      .findLast((found) => found !== undefined)
    assert.ok(code, `no code was mailed to ${email}`)
    return code
  }
  async function logIn(
    email: string,
    password = PASSWORD,
  ): Promise<{ access: string; refresh: string }> {
    const { status, body } = await post('/api/v1/auth/login', { email, password })
    assert.equal(status, 200, JSON.stringify(body))
    return { access: body.access_token, refresh: body.refresh_token }
  }
  /** Signs up and returns the attempt's id. */
  async function signUp(
    email: string,
    password = PASSWORD,
    fullName?: string,
    sent: Sent = {},
  ): Promise<string> {
    const name = fullName === undefined ? {} : { full_name: fullName }
    const wanted = { email, password, ...name }
    const { status, body } = await post('/api/v1/auth/signup', wanted, sent)
    assert.equal(status, 201, JSON.stringify(body))
    return body.sign_up_id
  }
  /** As a customer becomes a user: by sign-up, mailed code and login. */
  async function registerUser(
    email = `user${++users}@example.com`,
    password = PASSWORD,
    fullName?: string,
  ): Promise<TestUser> {
    const signUpId = await signUp(email, password, fullName)
    const code = await codeFor(email)
    const verified = await post('/api/v1/auth/verify', { email, code, sign_up_id: signUpId })
    assert.equal(verified.status, 200, verified.text)
    const tokens = await logIn(email, password)
    const me = await request('GET', '/api/v1/me', { token: tokens.access })
    return { id: me.body.id, email, password, ...tokens }
  }
  /** A user with a session, straight in the database: registered, one costs five requests. */
  function addUser(
    email = `user${++users}@example.com`,
    password = PASSWORD,
    fullName?: string,
  ): Promise<TestUser> {
    return insertUser({ email, password, role: 'user', fullName: fullName ?? null })
  }
  function addAdmin(email = `admin${++users}@example.com`): Promise<TestUser> {
    return insertUser({ email, password: PASSWORD, role: 'admin', fullName: null })
  }
  async function insertUser({ email, password, ...account }: NewUser): Promise<TestUser> {
    const emailCanonical = canonicalEmail(email) ?? assert.fail(email)
    const passwordHash = await ctx.hasher.hash(password)
    const nowMs = ctx.now()
    const session = await ctx.transaction(async (tx) => {
      const names = { email, emailCanonical, nowMs }
      const user = await insertVerifiedUser(tx, names, { ...account, passwordHash })
      assert.ok(user, `${email} is taken`)
      const opened = await openSession(tx, user.id, {
        client: { ip: nextAddress(), userAgent: 'lightMyRequest' },
        nowMs,
        idleLifetimeMs: config.sessionIdleLifetimeMs,
        lifetimeMs: config.sessionLifetimeMs,
      })
      return { sessionId: opened.id, userId: user.id, generation: 0 }
    })
    const tokens = await issueTokens(ctx, session)
    const { access_token: access, refresh_token: refresh } = tokens
    return { id: session.userId, email, password, access, refresh }
  }

  return {
    app,
    ctx,
    clock,
    mailer,
    sms,
    /** Text messages that were sent. */
    texts: sms.sent,
    logged,
    databaseUrl: database.url,
    advance: (ms: number) => void (clock.nowMs += ms),
    request,
    post,
    get: (url: string, sent: Sent = {}) => request('GET', url, sent),
    patch: (url: string, body?: unknown, sent: Sent = {}) =>
      request('PATCH', url, { ...sent, body }),
    delete: (url: string, sent: Sent = {}) => request('DELETE', url, sent),
    deliverMail,
    mailsTo,
    codeFor,
    signUp,
    logIn,
    registerUser,
    addUser,
    addAdmin,
    /** Listens on a free loopback port; returns the base URL. */
    listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
    async [Symbol.asyncDispose]() {
      await app.close()
      redis?.close()
      await backend.close()
      await database.drop()
    },
  }
}

/** Past the end of every unverified account and code. */
export const LONG_AFTER_MS = 3 * DAY_MS
