import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { assertProblem } from '../support/problem.ts'
import { type Service, startService } from '../support/service.ts'
import { createKeyFile, makePrivateKey, toPem } from '../support/signing-keys.ts'
import { claimsOf } from '../support/tokens.ts'

const ME = '/api/v1/me'
const CACHE_MS = 10 * MINUTE_MS
/** After this long every replica that is asked has read the file. */
const READ_MS = 10 * SECOND_MS

const kidOf = (token: string) => decodeProtectedHeader(token).kid
const statusOf = async (service: Service, token: string) =>
  (await service.get(ME, { token })).status

/** A service elsewhere that fetches the keys every ten minutes, and at no other time. */
function createVerifier(service: Service, fetchedAtMs: number) {
  let keys: JSONWebKeySet = { keys: [] }
  return async (token: string) => {
    const nowMs = service.clock.nowMs
    if (keys.keys.length === 0 || nowMs - fetchedAtMs >= CACHE_MS) {
      keys = (await service.get('/.well-known/jwks.json')).body
      fetchedAtMs = nowMs
    }
    const currentDate = new Date(nowMs)
    return jwtVerify(token, createLocalJWKSet(keys), { currentDate, algorithms: ['EdDSA'] })
  }
}

describe('a rotation of the signing key', () => {
  test('shows no verifier an unknown key, and each token works until it expires', async () => {
    using file = createKeyFile('EdDSA')
    const settings = { ...file.settings, ACCESS_TOKEN_EXPIRE_MINUTES: '60' }
    await using one = await startService(settings)
    await using other = await startService(settings, { replicaOf: one })
    const ann = await one.addUser()
    const replicas = [one, other]
    const verifiers = [0, 3, 7].map((minutes) =>
      createVerifier(minutes === 3 ? other : one, one.clock.nowMs - minutes * MINUTE_MS),
    )
    const kids = new Set<string | undefined>()
    let { access, refresh } = ann
    let live: string[] = []

    for (let step = 0; step < 90; step++) {
      if ([1, 12, 25, 60].includes(step)) file.rotate(one.clock.nowMs)
      live = [...live, access].filter((token) => claimsOf(token).exp * SECOND_MS > one.clock.nowMs)
      for (const token of new Set([live.at(0), live.at(-1)].map(String))) {
        for (const verify of verifiers) await verify(token)
        for (const replica of replicas) assert.equal(await statusOf(replica, token), 200)
      }
      kids.add(kidOf(access))
      one.advance(4 * MINUTE_MS)
      const renewing = replicas[step % 2] as Service
      const renewed = await renewing.post('/api/v1/auth/refresh', { refresh_token: refresh })
      ;({ access_token: access, refresh_token: refresh } = renewed.body)
    }

    assert.equal(kids.size, 5)
    assert.equal(live.length, 15)
  })

  test('reaches a replica that nobody asked for hours with the first request', async () => {
    using file = createKeyFile('EdDSA')
    await using busy = await startService(file.settings)
    await using idle = await startService(file.settings, { replicaOf: busy })
    await using idler = await startService(file.settings, { replicaOf: busy })
    const ann = await busy.addUser()
    file.rotate(busy.clock.nowMs)
    busy.advance(3 * HOUR_MS)

    const { access } = await busy.logIn(ann.email)
    const answer = await idle.get(ME, { token: access })
    const first = await idler.logIn(ann.email)

    assert.equal(answer.status, 200)
    assert.equal(kidOf(access), file.newest().kid)
    assert.equal(kidOf(first.access), file.newest().kid)
  })

  test('401 for every token of a key that was taken away, although it was good before', async () => {
    using file = createKeyFile('EdDSA')
    await using service = await startService(file.settings)
    await using replica = await startService(file.settings, { replicaOf: service })
    const ann = await service.addUser()
    for (const each of [service, replica]) assert.equal(await statusOf(each, ann.access), 200)

    rmSync(file.path)
    file.rotate(service.clock.nowMs)
    service.advance(READ_MS)

    for (const each of [service, replica])
      assertProblem(await each.get(ME, { token: ann.access }), 'invalid_token')
    const { access } = await service.logIn(ann.email)
    for (const each of [service, replica]) assert.equal(await statusOf(each, access), 200)
    const { body } = await service.get('/.well-known/jwks.json')
    assert.deepEqual(
      body.keys.map(({ kid }: { kid: string }) => kid),
      [file.newest().kid],
    )
  })

  test('200 before the file is read again, and for a clock that was put back it is read', async () => {
    using file = createKeyFile('EdDSA')
    await using service = await startService(file.settings)
    const listed = async () => (await service.get('/.well-known/jwks.json')).body.keys.length
    file.rotate(service.clock.nowMs)

    service.advance(READ_MS - 1)
    const before = await listed()
    service.advance(-HOUR_MS)
    const after = await listed()

    assert.deepEqual([before, after], [1, 2])
  })
})

describe('a key file that went wrong while the service runs', () => {
  const other = toPem(makePrivateKey('ES256'))
  for (const [why, spoil] of [
    ['is gone', (path: string) => rmSync(path)],
    ['is empty', (path: string) => writeFileSync(path, '')],
    ['was cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
    ['fits another ALGORITHM', (path: string) => writeFileSync(path, other)],
    ['is a folder', (path: string) => (rmSync(path), mkdirSync(path))],
  ] as const) {
    test(`changes nothing but the log when it ${why}, and is read again once it is repaired`, async () => {
      using file = createKeyFile('EdDSA')
      await using service = await startService({ ...file.settings, LOG_LEVEL: 'trace' })
      const ann = await service.addUser()
      file.rotate(service.clock.nowMs)
      const good = readFileSync(file.path, 'utf8')
      const secrets = file.keys().map(({ privateKey }) => privateKey.export({ format: 'jwk' }).d)

      spoil(file.path)
      service.advance(READ_MS)
      const during = [await statusOf(service, ann.access), await statusOf(service, ann.access)]
      const signed = await service.logIn(ann.email)
      rmSync(file.path, { recursive: true, force: true })
      writeFileSync(file.path, good)
      service.advance(READ_MS)
      const { body } = await service.get('/.well-known/jwks.json')

      assert.deepEqual(during, [200, 200])
      assert.equal(await statusOf(service, signed.access), 200)
      assert.equal(body.keys.length, 2)
      const log = service.logged.join('')
      assert.equal(log.match(/"level":"error".*"signing keys: the file is unusable/g)?.length, 1)
      assert.match(log, /"signing keys: the file has changed/)
      for (const secret of secrets) assert.ok(!log.includes(secret?.slice(0, 20) ?? ''))
    })
  }
})
