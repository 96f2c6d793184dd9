import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../server/lib/units.ts'
import { confirmEmail, emailCodeFor } from './support/email-changes.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { ranges, startRangeServer } from './support/range-server.ts'
import { FORGOT, linksTo, NEW_PASSWORD, reset, tokenFor } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { runOn } from './support/process.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'

const NEXT = 'a better one than before'

async function changePassword(service: Service, { access: token }: TestUser): Promise<void> {
  const body = { current_password: PASSWORD, new_password: NEXT }
  const answer = await service.post('/api/v1/me/password', body, { token })
  assert.equal(answer.status, 204, answer.text)
}

describe('what somebody had in hand to get in later', () => {
  test('400 for a link to reset the password that was mailed before it was changed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const token = await tokenFor(service, ann.email)

    await changePassword(service, ann)

    assertProblem(await reset(service, token), 'invalid_reset_token')
    await service.logIn(ann.email, NEXT)
  })

  test('a link that waits to be mailed is not mailed after the change; a newer one is, and works', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.post(FORGOT, { email: ann.email })
    service.advance(MINUTE_MS)

    await changePassword(service, ann)
    await service.deliverMail()

    assert.deepEqual(linksTo(service, ann.email), [])
    assert.deepEqual(await rowsOf(service.ctx, 'password_resets'), [])
    const token = await tokenFor(service, ann.email)
    assert.equal((await reset(service, token)).status, 200)
  })

  const root = (service: Service) => service.addAdmin()
  const endings: readonly [
    why: string,
    end: (service: Service, ann: TestUser) => Promise<unknown>,
  ][] = [
    [
      'disabled',
      async (service, { id }) =>
        service.patch(
          `/api/v1/users/${id}`,
          { disabled: true },
          { token: (await root(service)).access },
        ),
    ],
    [
      'promoted',
      async (service, { id }) =>
        service.patch(
          `/api/v1/users/${id}`,
          { role: 'admin' },
          { token: (await root(service)).access },
        ),
    ],
    [
      'logged out by an admin',
      async (service, { id }) =>
        service.delete(`/api/v1/users/${id}/sessions`, { token: (await root(service)).access }),
    ],
    [
      'logged out by an operator',
      (service, { email }) => runOn(service, ['sessions', 'end', '--user', email]),
    ],
  ]
  for (const [why, end] of endings) {
    test(`400 for a link once the user was ${why}, none for a request that waits, and a new one works`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const token = await tokenFor(service, ann.email)
      await service.post(FORGOT, { email: ann.email })

      await end(service, ann)
      await service.deliverMail()

      assertProblem(await reset(service, token), 'invalid_reset_token')
      assert.equal(linksTo(service, ann.email).length, 1)
      assert.notEqual(await tokenFor(service, ann.email), token)
    })
  }

  test('400 for a link once the address was verified by code, and none for a request that waits', async () => {
    await using service = await startService()
    const email = 'ann@example.com'
    await service.signUp(email)
    const code = await service.codeFor(email)
    const token = await tokenFor(service, email)
    await service.post(FORGOT, { email })

    const verified = await service.post('/api/v1/auth/verify', { email, code })
    await service.deliverMail()

    assert.equal(verified.status, 200)
    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.equal(linksTo(service, email).length, 1)
    await service.logIn(email)
  })

  test('400 for the code of a new address that was asked for before it was changed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const code = await emailCodeFor(service, ann, 'thief@example.com')

    await changePassword(service, ann)

    assertProblem(await confirmEmail(service, ann, code), 'invalid_code')
    const me = await service.get('/api/v1/me', { token: ann.access })
    assert.equal(me.body.email, ann.email)
  })

  test('400 for both once the account is deleted, though the address is signed up again', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    const code = await emailCodeFor(service, ann, 'thief@example.com')
    const token = await tokenFor(service, ann.email)
    const body = { current_password: PASSWORD }
    await service.delete('/api/v1/me', { token: ann.access, body })

    const again = await service.addUser('ann@example.com')

    assertProblem(await reset(service, token), 'invalid_reset_token')
    assertProblem(await confirmEmail(service, again, code), 'invalid_code')
    await service.logIn(again.email)
  })
})

describe('a link to reset the password', () => {
  test('422 blocklisted for a leaked one, which does not use the link up', async () => {
    await using list = await startRangeServer(ranges([NEW_PASSWORD, 1]))
    await using service = await startService({ PWNED_PASSWORDS_URL: list.url })
    const ann = await service.addUser()
    const token = await tokenFor(service, ann.email)

    const leaked = await reset(service, token, NEW_PASSWORD)
    const other = await reset(service, token, NEXT)

    assertInvalid(leaked, '/password', 'blocklisted')
    assert.equal(other.status, 200, other.text)
    await service.logIn(ann.email, NEXT)
  })
})
