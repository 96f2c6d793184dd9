import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fromBrowser, keptBy, PLAIN_COOKIE } from './support/cookies.ts'
import { dropDatabase } from './support/cluster.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, type Service, startService } from './support/service.ts'
import { createKeyFile } from './support/signing-keys.ts'

// Runs a user's whole life with secrets that are easy to find, then looks for them (LOGI-02, LOGI-03).

const SECRET_KEY = 'canary-key-hJ4vXq9mZ2rT8wYk6pLs3dFg'
const PASSWORD = 'canary password one'
const WRONG = 'canary password two'
const NEXT = 'canary password three'
const JUNK = 'canary-junk-5d1c'
const TABLES = [
  'users',
  'sign_ups',
  'code_failures',
  'sessions',
  'outbox',
  'password_resets',
  'invitations',
  'email_changes',
  'phone_changes',
  'jobs',
  'audit_events',
  'erasures',
  'keys_in_use',
  'daily_counts',
] as const
const LOGGED_KEYS = [
  'duration_ms',
  'ip',
  'level',
  'method',
  'msg',
  'request_id',
  'route',
  'status',
  'time',
]

interface Journey {
  readonly answers: Answer[]
  /** What nobody may find anywhere, by name. */
  readonly secrets: Map<string, string>
  /** Every row of every table, while the code waits to be mailed and at the end; and the user’s own export. */
  readonly dumps: string[]
}

/** Signs up, verifies, logs in, refreshes, reads, is replayed, logs out, and fails at each step. */
async function live(service: Service): Promise<Journey> {
  const answers: Answer[] = []
  const secrets = new Map([
    ['SECRET_KEY', SECRET_KEY],
    ['DATABASE_URL', service.databaseUrl],
    ['password', PASSWORD],
    ['wrong password', WRONG],
    ['next password', NEXT],
    ['junk', JUNK],
  ])
  const keep = async (answer: Promise<Answer>) => {
    answers.push(await answer)
    return answer
  }
  const post = (url: string, body: unknown, sent = {}) =>
    keep(service.post(`/api/v1${url}`, body, sent))
  const email = 'ann@example.com'

  await post('/auth/signup', { email, password: PASSWORD, full_name: 'Ann' })
  await post('/auth/signup', { email, password: PASSWORD, pin: JUNK, extra: WRONG })
  await post('/auth/signup', { email, password: 12345678, full_name: { extra: JUNK } })
  await post('/auth/signup', { email: JUNK, password: PASSWORD })
  await post('/auth/signup', `{"email":"${email}","password":"${PASSWORD}`, JSON_TYPE)
  await post('/auth/signup', `password=${PASSWORD}`, { headers: { 'content-type': 'text/plain' } })
  await post('/auth/login', { email, password: PASSWORD })
  const whileMailWaits = await dump(service)
  const code = await service.codeFor(email)
  secrets.set('code', code)
  await post('/auth/verify', { email, code: `${code}x` })
  await post('/auth/verify', { email: 'bob@example.com', code })
  await post('/auth/verify', { email, code })
  await post('/auth/verify', { email, code })
  await post('/auth/verify/resend', { email, extra: code })

  await post('/auth/login', { email, password: WRONG })
  await post('/auth/login', undefined, { form: { username: email, password: WRONG } })
  const { access, refresh } = await service.logIn(email, PASSWORD)
  secrets.set('access token', access).set('refresh token', refresh)
  for (const [index, cookie] of (await liveInBrowser(service, { email, keep })).entries())
    secrets.set(`cookie ${index}`, cookie)
  const token = access
  for (const url of ['/me', '/users', `/users?q=${JUNK}`, `/${JUNK}`, `/me?access_token=${access}`])
    await keep(service.get(`/api/v1${url}`, { token }))
  await keep(service.get('/api/v1/me', { token: `${access}${JUNK}` }))
  await keep(service.get('/api/v1/me', { headers: { authorization: `Basic ${JUNK}` } }))
  await keep(service.patch('/api/v1/me', { full_name: JUNK, password: WRONG }, { token }))
  await keep(service.get('/api/v1/me', { token, headers: { 'user-agent': JUNK, cookie: JUNK } }))

  for (const [current, next] of [
    [WRONG, NEXT],
    [PASSWORD, NEXT.slice(0, 5)],
    [PASSWORD, PASSWORD],
    [PASSWORD, NEXT],
  ])
    await post('/me/password', { current_password: current, new_password: next }, { token })
  await keep(service.delete('/api/v1/me', { token, body: { current_password: PASSWORD } }))
  const exported = await service.get('/api/v1/me/export', { token })
  assert.equal(exported.status, 200)

  await post('/auth/refresh', { refresh_token: `${refresh}${JUNK}` })
  await post(`/auth/refresh?refresh_token=${refresh}`, { refresh_token: 1 })
  const renewed = await service.post('/api/v1/auth/refresh', { refresh_token: refresh })
  assert.equal(renewed.status, 200)
  secrets.set('renewed access token', renewed.body.access_token)
  secrets.set('renewed refresh token', renewed.body.refresh_token)
  service.advance(60_000)
  await post('/auth/refresh', { refresh_token: refresh })
  await service.deliverMail()
  await post('/auth/logout', { refresh_token: refresh })
  await post('/auth/logout', {}, { token })
  return { answers, secrets, dumps: [whileMailWaits, await dump(service), exported.text] }
}

/** Logs in, refreshes, is refused, is replayed and logs out with the cookie; returns its values. */
async function liveInBrowser(
  service: Service,
  { email, keep }: { email: string; keep: (answer: Promise<Answer>) => Promise<Answer> },
): Promise<string[]> {
  const browse = (route: string, cookies: string[], sent: { body?: object; headers?: {} } = {}) =>
    keep(fromBrowser(service, `/api/v1/auth/${route}`, cookies, { name: PLAIN_COOKIE, ...sent }))
  const body = { email, password: PASSWORD, cookie: true }
  const first = keptBy(await browse('login', [], { body }), PLAIN_COOKIE).refresh
  const second = keptBy(await browse('refresh', [first]), PLAIN_COOKIE).refresh
  await browse('refresh', [`${second}${JUNK}`])
  await browse('refresh', [first, second])
  await browse('refresh', [second], { body: { refresh_token: JUNK, extra: second } })
  for (const route of ['login', 'refresh', 'logout'])
    await browse(route, [second], { ...(route === 'login' ? { body } : {}), headers: {} })
  const third = keptBy(await browse('login', [], { body }), PLAIN_COOKIE).refresh
  const fourth = keptBy(await browse('login', [third], { body }), PLAIN_COOKIE).refresh
  service.advance(60_000)
  await browse('refresh', [first])
  await browse('logout', [fourth])
  return [first, second, third, fourth]
}

const JSON_TYPE = { headers: { 'content-type': 'application/json' } }

/** A login whose user look-up fails with this error, which tells secrets as a driver's may. */
async function loginThatFails(service: Service, error: Error): Promise<Answer> {
  const { lookUp } = service.ctx
  Object.assign(service.ctx, { lookUp: () => Promise.reject(error) })
  const answer = await service.post('/api/v1/auth/login', {
    email: 'ann@example.com',
    password: PASSWORD,
  })
  Object.assign(service.ctx, { lookUp })
  return answer
}

async function dump({ ctx }: Service): Promise<string> {
  const tables = TABLES.map(async (table) => [table, await rowsOf(ctx, table)] as const)
  return JSON.stringify(Object.fromEntries(await Promise.all(tables)))
}

function assertAbsent(secrets: Map<string, string>, where: string, text: string): void {
  for (const [name, secret] of secrets)
    assert.ok(!text.includes(secret), `${name} stands in ${where}: ${text.slice(0, 300)}`)
}

/** In no log line, no table and no refusal. */
function assertNowhere({ logged }: Service, { answers, secrets, dumps }: Journey): void {
  for (const line of logged) assertAbsent(secrets, 'the log', line)
  for (const tables of dumps) assertAbsent(secrets, 'a table', tables)
  for (const { status, text, headers } of answers)
    if (status >= 400) assertAbsent(secrets, `an answer ${status}`, text + JSON.stringify(headers))
}

describe('secrets', () => {
  test('stand in no log line, no refusal and no table after a user’s whole life', async () => {
    await using service = await startService({ SECRET_KEY, LOG_LEVEL: 'trace' })

    const journey = await live(service)

    assertNowhere(service, journey)
    const statuses = new Set(journey.answers.map(({ status }) => status))
    for (const status of [201, 200, 400, 401, 403, 404, 415, 422])
      assert.ok(statuses.has(status), `the journey has no ${status}`)
    for (const table of ['users', 'sessions', 'outbox', 'code_failures'])
      assert.match(journey.dumps[1] ?? '', new RegExp(`"${table}":\\[\\{`), `${table} is empty`)
  })

  test('stand nowhere when a private key signs, nor does any part of that key', async () => {
    using file = createKeyFile('ES256')
    const settings = { ...file.settings, SECRET_KEY, LOG_LEVEL: 'trace' }
    await using service = await startService(settings)
    const [pem, key] = [readFileSync(file.path, 'utf8'), file.newest()]
    file.rotate(service.clock.nowMs)

    const journey = await live(service)
    const published = await service.get('/.well-known/jwks.json')

    const { secrets } = journey
    secrets.set('the PEM', pem.split('\n')[1] ?? '')
    for (const { privateKey } of [key, file.newest()])
      secrets.set(`the key ${secrets.size}`, privateKey.export({ format: 'jwk' }).d ?? '')
    assertNowhere(service, journey)
    assert.equal(published.body.keys.length, 2)
    assertAbsent(secrets, 'the public keys', published.text)
  })

  test('stand in no answer and no error field when the code itself fails', async () => {
    await using service = await startService({ SECRET_KEY })
    await service.addUser('ann@example.com', PASSWORD)
    const told = { detail: `Key (password)=(${PASSWORD})`, parameters: [SECRET_KEY] }
    const bug = Object.assign(new Error('it broke'), { code: 'XX000', ...told })

    const answer = await loginThatFails(service, bug)

    assert.equal(answer.status, 500)
    assert.equal(answer.body.code, 'internal_error')
    assert.doesNotMatch(answer.text, /it broke|XX000|canary|\.ts/)
    const log = service.logged.join('')
    assert.match(log, /"level":"error".*it broke/)
    assert.doesNotMatch(log, /canary/)
  })

  test('stand in no answer and no log line when the database is gone', async () => {
    await using service = await startService({ SECRET_KEY })
    const ann = await service.addUser('ann@example.com', PASSWORD)
    await dropDatabaseOf(service)
    const secrets = new Map([
      ['SECRET_KEY', SECRET_KEY],
      ['password', PASSWORD],
      ['access token', ann.access],
      ['refresh token', ann.refresh],
      ['DATABASE_URL', service.databaseUrl],
    ])

    const answers = [
      await service.post('/api/v1/auth/signup', { email: 'bob@example.com', password: PASSWORD }),
      await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh }),
      await service.get('/ready'),
    ]

    for (const { status, text } of answers) assert.equal(status, 503, text)
    assertNowhere(service, { answers, secrets, dumps: [] })
  })
})

describe('the log', () => {
  test('has exactly one line for each request, with the route’s pattern and who asked', async () => {
    await using service = await startService()
    const ann = await service.addAdmin()
    service.logged.length = 0

    await service.get('/api/v1/me', { token: ann.access })
    await service.get(`/api/v1/users/${ann.id}`, { token: ann.access })
    await service.get('/users/999', { token: ann.access })
    await service.post('/api/v1/auth/login', { email: 'x' })
    await service.get(`/api/v1/${JUNK}\u2028`)
    await service.get('/health')

    const lines = service.logged.map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ method, route, status, user_id }) => [method, route, status, user_id]),
      [
        ['GET', '/api/v1/me', 200, ann.id],
        ['GET', '/api/v1/users/:id', 200, ann.id],
        ['GET', '/users/:id', 404, ann.id],
        ['POST', '/api/v1/auth/login', 422, undefined],
        ['GET', null, 404, undefined],
      ],
    )
    for (const { user_id: _, ...line } of lines) {
      assert.deepEqual(Object.keys(line).toSorted(), LOGGED_KEYS)
      assert.equal(typeof line.duration_ms, 'number')
    }
    assert.equal(new Set(lines.map((line) => line.request_id)).size, lines.length)
  })
})

async function dropDatabaseOf(service: Service): Promise<void> {
  if (service.databaseUrl.startsWith('sqlite')) {
    rmSync(service.databaseUrl.replace('sqlite:///', ''))
    return
  }
  const url = new URL(service.databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/'
  await dropDatabase(url.href, name)
}
