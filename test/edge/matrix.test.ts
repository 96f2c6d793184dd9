import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MINUTE_MS, toIso } from '../../server/lib/units.ts'
import { runJob } from '../support/jobs.ts'
import { failedMail } from '../support/mailers.ts'
import { assertProblem } from '../support/problem.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'
import type { TestUser } from '../support/service.ts'

// Who may call what. `self` is the user that `:id` names, made afresh for each row, as are `other`,
// `demoted` (an admin until a moment ago, with the token of then) and `admin`. `dead` is each of:
// garbage, an expired token, the token of a user who is disabled, deleted, or not verified.

const API = `
                              nobody  dead  self  other  demoted  admin
  POST /auth/signup           201     201   201   201    201      201
  POST /auth/verify           400     400   400   400    400      400
  POST /auth/verify/resend    202     202   202   202    202      202
  POST /auth/login            200     200   200   200    200      200
  POST /auth/refresh          200     200   200   200    200      200
  POST /auth/reauthenticate   401     401   204   204    204      204
  POST /auth/logout           401     401   204   204    204      204
  POST /auth/password/forgot  202     202   202   202    202      202
  POST /auth/password/reset   400     400   400   400    400      400
  POST /auth/email/undo       400     400   400   400    400      400
  GET /me                     401     401   200   200    200      200
  PATCH /me                   401     401   200   200    200      200
  DELETE /me                  401     401   204   204    204      204
  GET /me/export              401     401   200   200    200      200
  POST /me/password           401     401   204   204    204      204
  POST /me/email              401     401   202   202    202      202
  POST /me/email/confirm      401     401   400   400    400      400
  POST /me/phone              401     401   202   202    202      202
  POST /me/phone/confirm      401     401   400   400    400      400
  DELETE /me/phone            401     401   204   204    204      204
  GET /me/sessions            401     401   200   200    200      200
  DELETE /me/sessions         401     401   204   204    204      204
  DELETE /me/sessions/:id     401     401   204   404    404      404
  GET /users                  401     401   403   403    403      200
  POST /users                 401     401   403   403    403      201
  GET /users/:id              401     401   403   403    403      200
  PATCH /users/:id            401     401   200   403    403      200
  DELETE /users/:id           401     401   403   403    403      200
  GET /users/:id/sessions     401     401   403   403    403      200
  DELETE /users/:id/sessions  401     401   403   403    403      204
  DELETE /users/:id/login-lock  401   401   403   403    403      204
  POST /users/:id/invitation  401     401   403   403    403      409
  DELETE /users/:id/invitation  401   401   403   403    403      409
  POST /users/:id/password-reset  401  401   403   403    403      202
  POST /users/:id/verification  401   401   403   403    403      409
  GET /users/:id/mail         401     401   403   403    403      200
  GET /users/:id/audit        401     401   403   403    403      200
  GET /mail                   401     401   403   403    403      200
  POST /mail/:id/resend       401     401   403   403    403      202
  GET /audit                  401     401   403   403    403      200
  GET /stats                  401     401   403   403    403      200
  GET /jobs                   401     401   403   403    403      200
  POST /jobs/clean-up/dry-run  401    401   403   403    403      200
  POST /jobs/clean-up/run     401     401   403   403    403      202
  GET /settings               401     401   403   403    403      200
`
const ROOT = `
                              nobody  dead  self  other  demoted  admin
  GET /health                 200     200   200   200    200      200
  GET /ready                  200     200   200   200    200      200
  GET /.well-known/jwks.json  200     200   200   200    200      200
  GET /.well-known/oauth-authorization-server  200  200  200  200  200  200
  GET /openapi.json           200     200   200   200    200      200
  GET /docs                   200     200   200   200    200      200
  GET /docs/                  200     200   200   200    200      200
  GET /docs/static/docs.js    200     200   200   200    200      200
  GET /docs/static/icon.svg   200     200   200   200    200      200
  GET /docs/static/index.css  200     200   200   200    200      200
  GET /docs/static/swagger-ui.css  200  200  200  200    200      200
  GET /docs/static/swagger-ui-bundle.js  200  200  200  200  200  200
  GET /                       200     200   200   200    200      200
  GET /sign-up                200     200   200   200    200      200
  GET /verify                 200     200   200   200    200      200
  GET /forgot                 200     200   200   200    200      200
  GET /reset                  200     200   200   200    200      200
  GET /console                200     200   200   200    200      200
  GET /console/users          200     200   200   200    200      200
  GET /console/users/new      200     200   200   200    200      200
  GET /console/users/:id      200     200   200   200    200      200
  GET /console/audit          200     200   200   200    200      200
  GET /console/mail           200     200   200   200    200      200
  GET /console/jobs           200     200   200   200    200      200
  GET /console/settings       200     200   200   200    200      200
  GET /assets/:file           404     404   404   404    404      404
`
const METADATA = '/.well-known/oauth-authorization-server'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What a caller who may call sends. */
const BODIES: Record<string, (self: TestUser, index: number) => object> = {
  'POST /auth/signup': (self, index) => ({ email: `${index}.${self.email}`, password: PASSWORD }),
  'POST /auth/verify': (self) => ({ email: self.email, code: '000000' }),
  'POST /auth/verify/resend': (self) => ({ email: self.email }),
  'POST /auth/login': (self) => ({ email: self.email, password: PASSWORD }),
  'POST /auth/refresh': (self) => ({ refresh_token: self.refresh }),
  'POST /auth/reauthenticate': () => ({ current_password: PASSWORD }),
  'POST /auth/password/forgot': (self) => ({ email: self.email }),
  'POST /auth/password/reset': () => ({ token: 'wrong', password: PASSWORD }),
  'PATCH /me': () => ({ full_name: 'Ann' }),
  'DELETE /me': () => ({ current_password: PASSWORD }),
  'POST /me/password': () => ({ current_password: PASSWORD, new_password: `another ${PASSWORD}` }),
  'POST /auth/email/undo': () => ({ token: 'no token' }),
  'POST /me/email': (self) => ({ email: `new.${self.email}`, current_password: PASSWORD }),
  'POST /me/email/confirm': () => ({ code: '000000' }),
  'POST /me/phone': () => ({ phone: '+4915123456789' }),
  'POST /me/phone/confirm': () => ({ code: '000000' }),
  'POST /users': (self, index) => ({ email: `${index}.invited.${self.email}` }),
  'PATCH /users/:id': () => ({ full_name: 'Ann' }),
}

interface Row {
  readonly method: string
  readonly path: string
  /** The key of its body. */
  readonly route: string
  readonly answers: Readonly<Record<string, number>>
}

const rows = [...readTable(ROOT), ...readTable(API), ...readTable(API, '/api/v1')]
const paths = [...new Set(rows.map(({ path }) => path))]
/** HEAD comes with GET. */
const withHead = (method: string) => (method === 'GET' ? ['GET', 'HEAD'] : [method])
const methodsOf = (path: string) =>
  rows.filter((row) => row.path === path).flatMap(({ method }) => withHead(method))

describe('the matrix of routes and callers', () => {
  let service: Service
  let dead: Record<string, string>
  before(async () => {
    service = await startService({ RATE_LIMIT: 'off' })
    dead = await deadTokens(service)
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [settings, more] of [
    [{}, []],
    [{ CORS_ORIGINS: 'https://app.example.com' }, ['OPTIONS *']],
    [{ PUBLIC_URL: 'https://shop.example/a' }, [`GET ${METADATA}/a`, `HEAD ${METADATA}/a`]],
  ] as const) {
    test(`has a row for each route, and no other, with ${JSON.stringify(settings)}`, async () => {
      await using fresh = await startService(settings)
      const found = new Set<string>()
      // Called for the routes of plugins, too.
      fresh.app.addHook('onRoute', ({ url, method }) => {
        for (const name of [method].flat()) found.add(`${name} ${url}`)
      })
      await fresh.app.ready()

      const listed = paths.flatMap((path) => methodsOf(path).map((method) => `${method} ${path}`))
      listed.push(...more)
      assert.deepEqual([...found].toSorted(), listed.toSorted())
      assert.equal(countIn(fresh.app.printRoutes({ commonPrefix: false })), listed.length)
    })
  }

  for (const { method, path, route, answers } of rows) {
    test(`${method} ${path}: ${Object.values(answers).join(' ')}`, async () => {
      // What the row before requested, under the other path.
      if (path.includes('/jobs/')) await runJob(service, 'clean-up')
      const self = await service.addUser()
      const callers = [...Object.entries(dead), ...(await liveTokens(service, self))]
      const id = path.includes('/mail/:id')
        ? (await failedMail(service, `failed.${self.email}`)).id
        : path.includes('/me/sessions/:id')
          ? (self.refresh.split('.')[0] ?? '')
          : String(self.id)
      const url = path.replace(':id', id)

      for (const [index, [caller, token]] of [
        ['nobody', undefined] as const,
        ...callers,
      ].entries()) {
        const body = BODIES[route]?.(self, index)
        const answer = await service.request(method, url, { token, body })
        const expected = answers[caller in dead ? 'dead' : caller]
        assert.equal(answer.status, expected, `${caller}: ${answer.text}`)
        assertRefusal(answer, token)
        if (method !== 'GET') continue
        const head = await service.request('HEAD', url, { token })
        assert.equal(head.status, expected, `HEAD of ${caller}`)
      }
    })
  }

  for (const path of paths) {
    const allowed = methodsOf(path)
    const others = METHODS.filter((method) => !allowed.includes(method))
    test(`405 for ${others.join(', ')} ${path}, whoever asks`, async () => {
      const admin = await service.addAdmin()
      const tokens = [undefined, ...Object.values(dead), admin.access]

      for (const method of others) {
        for (const token of tokens) {
          const answer = await service.request(method, path.replace(':id', '1'), { token })
          assert.equal(answer.status, 405, `${method} with ${token}`)
          assert.equal(answer.headers['allow'], allowed.toSorted().join(', '))
        }
      }
    })
  }
})

test('no session for an unverified user: 403 and nothing is written', async () => {
  await using service = await startService()
  await service.signUp('ann@example.com')
  const credentials = { email: 'ann@example.com', password: PASSWORD }

  const answer = await service.post('/api/v1/auth/login', credentials)

  assertProblem(answer, 'email_unverified')
  assert.deepEqual(await service.ctx.db.selectFrom('sessions').select('id').execute(), [])
})

/** The routes in the tree of the router itself: each line ends with the methods of a path. */
function countIn(tree: string): number {
  const methods = [...tree.matchAll(/\(([A-Z, ]+)\)$/gm)].map(([, names = '']) => names)
  return methods.flatMap((names) => names.split(', ')).length
}

/** RFC 6750 section 3: only who sent a token is told that it is wrong. */
function assertRefusal(answer: Answer, token: string | undefined): void {
  if (answer.status === 401) {
    assertProblem(answer, token === undefined ? 'authentication_required' : 'invalid_token')
    const challenge = token === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    assert.equal(answer.headers['www-authenticate'], challenge)
  }
  if (answer.status === 403) assertProblem(answer, 'forbidden')
}

/** Moves the clock: to be called before other tokens are made. */
async function deadTokens(service: Service): Promise<Record<string, string>> {
  const expired = await service.addUser()
  service.advance(31 * MINUTE_MS)
  const admin = await service.addAdmin()
  const [disabled, deleted, unverified] = [
    await service.addUser(),
    await service.addUser(),
    await service.addUser(),
  ]
  await service.delete(`/users/${deleted.id}`, { token: admin.access })
  // Without the end of their sessions, which the API brings about: the guard must not depend on that.
  await service.ctx.transaction(async (tx) => {
    const disabling = { disabled_at: toIso(service.ctx.now()) }
    await tx.updateTable('users').set(disabling).where('id', '=', disabled.id).execute()
    const unverifying = { verified_at: null }
    await tx.updateTable('users').set(unverifying).where('id', '=', unverified.id).execute()
  })
  return {
    garbage: 'garbage',
    expired: expired.access,
    disabled: disabled.access,
    deleted: deleted.access,
    unverified: unverified.access,
  }
}

/** The admin last: some routes end the sessions of `self`. */
async function liveTokens(service: Service, self: TestUser): Promise<[string, string][]> {
  const other = await service.addUser()
  const admin = await service.addAdmin()
  const demoted = await service.addAdmin()
  await service.patch(`/users/${demoted.id}`, { role: 'user' }, { token: admin.access })
  return [
    ['self', self.access],
    ['other', other.access],
    ['demoted', demoted.access],
    ['admin', admin.access],
  ]
}

function readTable(table: string, prefix = ''): Row[] {
  const [header = '', ...lines] = table.trim().split('\n')
  const callers = header.trim().split(/\s+/)
  return lines.map((line) => {
    const [method = '', path = '', ...statuses] = line.trim().split(/\s+/)
    const answers = callers.map((caller, index) => [caller, Number(statuses[index])] as const)
    return {
      method,
      path: prefix + path,
      route: `${method} ${path}`,
      answers: Object.fromEntries(answers),
    }
  })
}
