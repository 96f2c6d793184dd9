import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertProblem } from '../support/problem.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const at = (user: { id: number }) => `/api/v1/users/${user.id}`

/** Every row of every table, as text. */
async function dump({ ctx }: Service): Promise<string> {
  const tables = ['users', 'sign_ups', 'code_failures', 'sessions', 'outbox'] as const
  const rows = await Promise.all(
    tables.map((table) => ctx.db.selectFrom(table).selectAll().execute()),
  )
  return JSON.stringify(rows)
}

describe('DELETE /users/{id}', () => {
  test('200 deletes a user, whose tokens are dead at once', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()

    const answer = await service.delete(at(ann), { token })

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { message: 'User deleted successfully' })
    assertProblem(await service.get(at(ann), { token }), 'not_found')
    assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
    const refresh = { refresh_token: ann.refresh }
    assertProblem(await service.post('/api/v1/auth/refresh', refresh), 'invalid_token')
    const login = { email: ann.email, password: PASSWORD }
    assertProblem(await service.post('/api/v1/auth/login', login), 'invalid_credentials')
  })

  test('200 leaves nothing that names a verified user: sessions, mail, counters', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser('ann@example.com', PASSWORD, 'Ann Lee')
    const wrong = { email: ann.email, code: '000000' }
    await service.post('/api/v1/auth/verify', wrong)
    await service.post('/api/v1/auth/verify/resend', { email: ann.email })

    await service.delete(at(ann), { token })

    assert.doesNotMatch(await dump(service), /ann@example|Ann Lee/)
    const sessions = service.ctx.db.selectFrom('sessions').select('id')
    assert.deepEqual(await sessions.where('user_id', '=', ann.id).execute(), [])
  })

  test('200 leaves nothing of an unverified user, whose code opens nothing', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp('bob@example.com', PASSWORD, 'Bob Lee')
    const code = await service.codeFor('bob@example.com')
    service.advance(60_001)
    await service.signUp('bob@example.com', PASSWORD, 'Bob Lee')
    await service.post('/api/v1/auth/verify/resend', { email: 'bob@example.com' })

    await service.delete(at({ id: admin.id + 1 }), { token: admin.access })

    assert.doesNotMatch(await dump(service), /bob@example|Bob Lee/)
    assert.deepEqual(await service.ctx.db.selectFrom('sign_ups').select('id').execute(), [])
    const before = service.mailer.sent.length
    await service.deliverMail()
    assert.equal(service.mailer.sent.length, before, 'a mail that waited was sent')
    const answer = await service.post('/api/v1/auth/verify', { email: 'bob@example.com', code })
    assertProblem(answer, 'invalid_code')
  })

  test('200 frees the address, but never the id, and old tokens stay dead', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    await service.delete(at(ann), { token })

    const again = await service.addUser('ann@example.com')

    assert.ok(again.id > ann.id, `${again.id} after ${ann.id}`)
    assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
    assert.equal((await service.get('/api/v1/me', { token: again.access })).body.id, again.id)
  })

  test('403 forbidden for users, the same for themselves, others and unknown ids', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()

    for (const id of [ann.id, bob.id, 999_999]) {
      const answer = await service.delete(at({ id }), { token: ann.access })
      assertProblem(answer, 'forbidden')
    }

    await service.logIn(ann.email)
    await service.logIn(bob.email)
  })

  test('404 not_found for an unknown id, and the second time', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    await service.delete(at(ann), { token })

    assertProblem(await service.delete(at(ann), { token }), 'not_found')
    assertProblem(await service.delete(at({ id: 999_999 }), { token }), 'not_found')
  })

  test('409 last_admin for oneself, though a disabled admin is left', async () => {
    await using service = await startService()
    const ann = await service.addAdmin()
    const bob = await service.addAdmin()
    await service.patch(at(bob), { disabled: true }, { token: ann.access })

    const answer = await service.delete(at(ann), { token: ann.access })

    assertProblem(answer, 'last_admin')
    assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
  })

  test('200 for oneself when another admin stays', async () => {
    await using service = await startService()
    const ann = await service.addAdmin()
    const bob = await service.addAdmin()

    const answer = await service.delete(at(ann), { token: ann.access })

    assert.equal(answer.status, 200)
    assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
    assertProblem(await service.delete(at(bob), { token: bob.access }), 'last_admin')
  })

  for (const [why, targets] of [
    ['delete each other', [1, 0]],
    ['delete themselves', [0, 1]],
  ] as const) {
    test(`two admins ${why} at once: one stays`, async () => {
      await using service = await startService()
      const admins = [await service.addAdmin(), await service.addAdmin()]

      const answers = await Promise.all(
        admins.map(({ access }, index) =>
          service.delete(at(admins[targets[index] ?? 0] ?? { id: 0 }), { token: access }),
        ),
      )

      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
      assert.equal(statuses[0], 200)
      assert.ok([401, 409].includes(statuses[1] ?? 0), String(statuses))
      const rows = await service.ctx.db.selectFrom('users').select('id').execute()
      assert.equal(rows.length, 1)
    })
  }
})
