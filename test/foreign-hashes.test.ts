import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countHashes } from './support/hashes.ts'
import { assertProblem } from './support/problem.ts'
import { NEW_PASSWORD, reset, tokenFor } from './support/resets.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

const LOGIN = '/api/v1/auth/login'
const ME = '/api/v1/me'

/** A user whose row has a hash that another program wrote. */
async function addForeign(service: Service, passwordHash: string) {
  const user = await service.addUser()
  await service.ctx.transaction((tx) =>
    tx
      .updateTable('users')
      .set({ password_hash: passwordHash })
      .where('id', '=', user.id)
      .execute(),
  )
  return user
}

for (const [kind, passwordHash] of [
  ['bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
  ['pbkdf2', '$pbkdf2-sha256$i=600000$c2FsdHNhbHQ$aGFzaGhhc2g'],
  ['an empty text', ''],
  ['a broken hash', '$argon2id$v=19$m=8,t=1,p=1$c2Fs'],
  [
    'a hash of a million passes',
    `$argon2id$v=19$m=64,t=1000000,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  ],
] as const) {
  describe(`${kind} in the table`, () => {
    test('401 and 403 as for a wrong password, one hash each, and one log line for the user', async () => {
      await using service = await startService()
      const { id, email, access: token } = await addForeign(service, passwordHash)
      const counts = countHashes(service)
      const proof = { current_password: PASSWORD }

      const login = await service.post(LOGIN, { email, password: PASSWORD })
      const proofs: Answer[] = [
        await service.post(`${ME}/password`, { ...proof, new_password: NEW_PASSWORD }, { token }),
        await service.post(`${ME}/email`, { ...proof, email: 'other@example.com' }, { token }),
        await service.delete(ME, { token, body: proof }),
      ]

      assertProblem(login, 'invalid_credentials')
      for (const answer of proofs) assertProblem(answer, 'wrong_password')
      assert.deepEqual(counts, { made: 0, verified: 4 })
      const warnings = service.logged
        .map((line) => JSON.parse(line))
        .filter(({ level }) => level === 'warn')
      assert.deepEqual(
        warnings.map((line) => line.user_id),
        [id],
      )
    })

    test('200 for a reset by mail, after which the new password logs in', async () => {
      await using service = await startService()
      const { email } = await addForeign(service, passwordHash)

      const done = await reset(service, await tokenFor(service, email))

      assert.equal(done.status, 200, done.text)
      assert.equal((await service.post(LOGIN, { email, password: NEW_PASSWORD })).status, 200)
    })
  })
}
