import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeFirstAdmin } from '../server/accounts/admins.ts'
import { assertProblem } from './support/problem.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const EMAIL = 'boss@example.com'
const ADMIN_PASSWORD = 'a long enough admin password'
const ADMIN = { ADMIN_EMAIL: EMAIL, ADMIN_PASSWORD }
const WARNING = /"level":"warn".*npm run cli -- users set-role/

/** Another start of the program on the same database. */
const restart = (service: Service, settings: Record<string, string>) =>
  startService(settings, { replicaOf: service })

async function usersSeenBy(service: Service, email: string, password: string): Promise<any[]> {
  const { access } = await service.logIn(email, password)
  const list = await service.get('/api/v1/users', { token: access })
  assert.equal(list.status, 200, list.text)
  return list.body
}

describe('ADMIN_EMAIL and ADMIN_PASSWORD', () => {
  test('a verified admin is made when there is none yet', async () => {
    await using service = await startService({ ...ADMIN, ADMIN_EMAIL: 'Boss@Example.com' })

    const users = await usersSeenBy(service, EMAIL, ADMIN_PASSWORD)

    assert.equal(users.length, 1)
    assert.equal(users[0].email, 'Boss@Example.com')
    assert.equal(users[0].role, 'admin')
    assert.equal(users[0].is_verified, true)
  })

  test('a later start changes nothing, whatever the settings say by then', async () => {
    await using first = await startService(ADMIN)
    const before = await usersSeenBy(first, EMAIL, ADMIN_PASSWORD)

    await using second = await restart(first, {
      ...ADMIN,
      ADMIN_PASSWORD: 'quite another password',
    })
    await using third = await restart(first, { ...ADMIN, ADMIN_EMAIL: 'other@example.com' })

    assert.deepEqual(await usersSeenBy(third, EMAIL, ADMIN_PASSWORD), before)
    assert.doesNotMatch([...second.logged, ...third.logged].join(''), /first admin|ADMIN_EMAIL/)
  })

  test('an unverified account of that address is replaced, its code and password are dead', async () => {
    await using before = await startService()
    await before.signUp(EMAIL, 'the password of a squatter')
    const code = await before.codeFor(EMAIL)
    const squatter = await before.ctx.db.selectFrom('users').select('id').executeTakeFirstOrThrow()

    await using service = await restart(before, ADMIN)

    const verified = await service.post('/api/v1/auth/verify', { email: EMAIL, code })
    assertProblem(verified, 'invalid_code')
    const login = { email: EMAIL, password: 'the password of a squatter' }
    assertProblem(await service.post('/api/v1/auth/login', login), 'invalid_credentials')
    const users = await usersSeenBy(service, EMAIL, ADMIN_PASSWORD)
    assert.equal(users.length, 1)
    assert.notEqual(users[0].id, squatter.id)
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
    assert.ok(!JSON.stringify(await rowsOf(service.ctx, 'outbox')).includes(EMAIL))
  })

  test('a verified account of that address gets no rights, and the log names the command', async () => {
    await using before = await startService()
    const ann = await before.addUser(EMAIL)

    await using service = await restart(before, ADMIN)

    assertProblem(await service.get('/api/v1/users', { token: ann.access }), 'forbidden')
    await service.logIn(EMAIL, PASSWORD)
    const login = { email: EMAIL, password: ADMIN_PASSWORD }
    assertProblem(await service.post('/api/v1/auth/login', login), 'invalid_credentials')
    assert.match(service.logged.join(''), WARNING)
  })

  for (const [why, prepare] of [
    ['an empty database', async () => {}],
    ['a squatter’s sign-up', (service: Service) => service.signUp(EMAIL)],
  ] as const) {
    test(`replicas that start at once on ${why} make one admin`, async () => {
      await using service = await startService()
      await prepare(service)
      await using other = await restart(service, {})
      const contexts = Array.from({ length: 8 }, (_, index) => (index % 2 ? other : service).ctx)

      await Promise.all(contexts.map((ctx) => makeFirstAdmin(ctx, EMAIL, ADMIN_PASSWORD)))

      assert.equal((await usersSeenBy(service, EMAIL, ADMIN_PASSWORD)).length, 1)
      const made = [...service.logged, ...other.logged].filter((line) => /first admin/.test(line))
      assert.equal(made.length, 1)
    })
  }
})
