import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { ALGORITHMS, createKeyFile } from '../../support/signing-keys.ts'

const JWKS = '/.well-known/jwks.json'

test('200 an empty set with HS256, whose key is nobody else’s', async () => {
  await using service = await startService()

  const answer = await service.get(JWKS)

  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, { keys: [] })
  assert.equal(answer.headers['cache-control'], 'public, max-age=600')
})

for (const algorithm of ALGORITHMS) {
  test(`200 the public key of ${algorithm} and no private member, to be kept for ten minutes`, async () => {
    using file = createKeyFile(algorithm)
    await using service = await startService(file.settings)
    const { kid, publicKey, privateKey } = file.newest()
    const shown = publicKey.export({ format: 'jwk' })

    const answer = await service.get(JWKS)

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { keys: [{ ...shown, kid, alg: algorithm, use: 'sig' }] })
    assert.equal(answer.headers['cache-control'], 'public, max-age=600')
    const all = privateKey.export({ format: 'jwk' })
    const secrets = Object.entries(all).filter(([name]) => !(name in shown))
    assert.ok(secrets.length > 0)
    for (const [, secret] of secrets) assert.ok(!answer.text.includes(String(secret)))
  })
}

test('200 both keys while one takes over from the other, the oldest first', async () => {
  using file = createKeyFile('EdDSA')
  await using service = await startService(file.settings)
  const first = file.newest()
  const listed = async () =>
    (await service.get(JWKS)).body.keys.map(({ kid }: { kid: string }) => kid)
  file.rotate(service.clock.nowMs)
  const second = file.newest()

  const before = await listed()
  service.advance(MINUTE_MS)
  const published = await listed()
  service.advance(30 * MINUTE_MS + 64 * MINUTE_MS - 1)
  const last = await listed()
  service.advance(1)
  const alone = await listed()

  assert.deepEqual(before, [first.kid])
  assert.deepEqual(published, [first.kid, second.kid])
  assert.deepEqual(last, [first.kid, second.kid])
  assert.deepEqual(alone, [second.kid])
})

test('404 below the API: it is at the root only', async () => {
  await using service = await startService()

  assertProblem(await service.get(`/api/v1${JWKS}`), 'not_found')
})
