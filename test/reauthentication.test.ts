import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { removeUser } from '../server/api/user-changes.ts'
import { MINUTE_MS } from '../server/lib/units.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { rowsOf } from './support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'
import { refresh, sessionIdOf } from './support/sessions.ts'
import { rowOf } from './support/users.ts'

const at = ({ id }: { id: number }) => `/api/v1/users/${id}`
const sessionsOf = (user: { id: number }) => `${at(user)}/sessions`
const confirm = (service: Service, token: string) =>
  service.post('/api/v1/auth/reauthenticate', { current_password: PASSWORD }, { token })

interface Cast {
  /** Whose token may be stolen. */
  readonly token: string
  readonly boss: TestUser
  readonly admin: TestUser
  readonly disabledAdmin: TestUser
  readonly ann: TestUser
}
type Act = (service: Service, cast: Cast, proof?: object) => Promise<Answer>

const patch =
  (whom: (cast: Cast) => TestUser, change: object): Act =>
  (service, cast, proof) =>
    service.patch(at(whom(cast)), { ...change, ...proof }, { token: cast.token })
const remove =
  (whom: (cast: Cast) => TestUser): Act =>
  (service, cast, proof) =>
    service.delete(at(whom(cast)), {
      token: cast.token,
      ...(proof === undefined ? {} : { body: proof }),
    })

const GUARDED: readonly [string, Act][] = [
  ['a promotion', patch(({ ann }) => ann, { role: 'admin' })],
  ['a promotion beside a name', patch(({ ann }) => ann, { role: 'admin', full_name: 'Eve' })],
  ['a demotion', patch(({ admin }) => admin, { role: 'user' })],
  ['disabling an admin', patch(({ admin }) => admin, { disabled: true })],
  ['enabling an admin', patch(({ disabledAdmin }) => disabledAdmin, { disabled: false })],
  ['deleting a user', remove(({ ann }) => ann)],
  ['deleting an admin', remove(({ admin }) => admin)],
  ['deleting oneself by id', remove(({ boss }) => boss)],
]

const OPEN: readonly [string, Act][] = [
  ['a name', patch(({ admin }) => admin, { full_name: 'Zoe' })],
  ['a role that stays', patch(({ ann }) => ann, { role: 'user', disabled: false })],
  ['disabling a user', patch(({ ann }) => ann, { disabled: true })],
  ['logging a user out', (service, { token, ann }) => service.delete(sessionsOf(ann), { token })],
  [
    'logging oneself out',
    (service, { token, boss }) => service.delete(sessionsOf(boss), { token }),
  ],
  ['the list', (service, { token }) => service.get('/api/v1/users', { token })],
]

async function cast(service: Service): Promise<Cast> {
  const boss = await service.addAdmin()
  const [admin, disabledAdmin] = [await service.addAdmin(), await service.addAdmin()]
  const ann = await service.addUser()
  const { access: token } = boss
  await service.patch(at(disabledAdmin), { disabled: true }, { token })
  return { token, boss, admin, disabledAdmin, ann }
}

async function stored({ ctx }: Service) {
  const byId = (one: { id: number }, other: { id: number }) => one.id - other.id
  return {
    users: (await rowsOf(ctx, 'users')).toSorted(byId),
    mails: (await rowsOf(ctx, 'outbox')).length,
  }
}

describe('an admin whose login is ten minutes old', () => {
  for (const [what, act] of GUARDED) {
    test(`403 reauthentication_required for ${what}, and nothing changes`, async () => {
      await using service = await startService()
      const people = await cast(service)
      service.advance(10 * MINUTE_MS)
      const before = await stored(service)

      const stale = await act(service, people)
      const { body } = await refresh(service, people.boss.refresh)
      const refreshed = await act(service, { ...people, token: body.access_token })
      const wrong = await act(service, people, { current_password: 'not the password' })

      assertProblem(stale, 'reauthentication_required')
      assertProblem(refreshed, 'reauthentication_required')
      assertProblem(wrong, 'wrong_password')
      assert.deepEqual(await stored(service), before)
    })

    test(`200 for ${what} with the current password, which opens nothing else`, async () => {
      await using service = await startService()
      const people = await cast(service)
      const other = await service.addUser()
      service.advance(10 * MINUTE_MS)

      const answer = await act(service, people, { current_password: PASSWORD })

      assert.equal(answer.status, 200, answer.text)
      const next = await service.delete(at(other), { token: people.token })
      assert.ok([401, 403].includes(next.status), next.text)
    })

    test(`200 for ${what} a moment earlier, after a confirmation, and with the setting 0`, async () => {
      for (const [minutes, setting] of [
        [9.999, {}],
        [20, { REAUTHENTICATION_MINUTES: '0' }],
        [20, { REAUTHENTICATION_MINUTES: '21' }],
      ] as const) {
        await using service = await startService(setting)
        const people = await cast(service)
        service.advance(minutes * MINUTE_MS)
        assert.equal((await act(service, people)).status, 200)
      }
      await using service = await startService()
      const people = await cast(service)
      service.advance(10 * MINUTE_MS)
      assert.equal((await confirm(service, people.token)).status, 204)
      assert.equal((await act(service, people)).status, 200)
    })
  }

  for (const [what, act] of OPEN) {
    test(`2xx for ${what}`, async () => {
      await using service = await startService()
      const people = await cast(service)
      service.advance(20 * MINUTE_MS)

      const answer = await act(service, people)

      assert.ok(answer.status < 300, answer.text)
    })
  }

  test('403 reauthentication_required for logging another admin out, whose sessions go on', async () => {
    await using service = await startService()
    const { token, admin } = await cast(service)
    service.advance(10 * MINUTE_MS)

    const stale = await service.delete(sessionsOf(admin), { token })
    const goesOn = await service.get('/api/v1/me', { token: admin.access })
    await confirm(service, token)
    const confirmed = await service.delete(sessionsOf(admin), { token })

    assertProblem(stale, 'reauthentication_required')
    assert.equal(goesOn.status, 200)
    assert.equal(confirmed.status, 204)
  })

  test('200 after a new login, as a script does it', async () => {
    await using service = await startService()
    const { boss, ann } = await cast(service)
    service.advance(20 * MINUTE_MS)

    const { access: token } = await service.logIn(boss.email)

    assert.equal((await service.delete(at(ann), { token })).status, 200)
  })
})

describe('the order of refusals for an old login', () => {
  let service: Service
  let people: Cast
  before(async () => {
    service = await startService()
    people = await cast(service)
    service.advance(20 * MINUTE_MS)
  })
  after(() => service[Symbol.asyncDispose]())

  test('401, 403 forbidden, 422, 404 and own_role come before, 409 after', async () => {
    const { token, boss, ann, disabledAdmin } = people
    const missing = { id: 999_999 }
    const role = { role: 'admin' }
    const pending = { id: ann.id + 1 }
    await service.signUp('pending@example.com')

    assertProblem(await service.patch(at(ann), role), 'authentication_required')
    assertProblem(await service.patch(at(boss), role, { token: ann.access }), 'forbidden')
    assertInvalid(await service.patch(at(ann), { role: 'root' }, { token }), '/role', 'enum')
    assertInvalid(await service.delete(at(ann), { token, body: { x: 1 } }), '/x')
    assertProblem(await service.patch(at(missing), role, { token }), 'not_found')
    assertProblem(await service.delete(at(missing), { token }), 'not_found')
    assertProblem(await service.patch(at(boss), { role: 'user' }, { token }), 'own_role')
    assertProblem(await service.patch(at(pending), role, { token }), 'reauthentication_required')
    assertProblem(await service.delete(at(disabledAdmin), { token }), 'reauthentication_required')
  })
})

describe('after a change of the password', () => {
  test('403 reauthentication_required in the session that changed it, whose token may be stolen', async () => {
    await using service = await startService()
    const { token, boss, ann } = await cast(service)
    const change = { current_password: PASSWORD, new_password: `another ${PASSWORD}` }

    assert.equal((await service.post('/api/v1/me/password', change, { token })).status, 204)

    const stale = await service.patch(at(ann), { role: 'admin' }, { token })
    assertProblem(stale, 'reauthentication_required')
    const { access } = await service.logIn(boss.email, change.new_password)
    assert.equal((await service.delete(at(ann), { token: access })).status, 200)
  })

  test('403 wrong_password for a proof of the password before it', async () => {
    await using service = await startService()
    const { boss, ann } = await cast(service)
    const user = await rowOf(service, boss)
    const signedIn = {
      sessionId: sessionIdOf(boss),
      userId: boss.id,
      role: 'admin' as const,
      user,
      cause: { actorId: boss.id, ip: null, requestId: 'x' },
    }
    const proof = { actor: signedIn, passwordChangedAt: '2025-12-31T12:00:00.000Z' }

    const removal = removeUser(service.ctx, ann.id, { ...signedIn, proof })

    await assert.rejects(removal, { code: 'wrong_password' })
  })
})
