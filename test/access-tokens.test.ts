import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { EncryptJWT, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ConfigError, readConfig } from '../server/config.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { BAD_CLAIMS, BAD_HEADERS, BAD_SIGNATURES, type Forgery } from './support/forgeries.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { type Answer, type Service, SETTINGS, startService } from './support/service.ts'
import { type Claims, claimsOf, forge, forgeByHmac, HEADER, respell } from './support/tokens.ts'

const ME = '/api/v1/me'
const USERS = '/api/v1/users'

function assertRefused(answer: Answer): void {
  assertProblem(answer, 'invalid_token')
  assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
}

/** By a route of everybody's and by one of admins. */
async function assertRefusedEverywhere(service: Service, token: string): Promise<void> {
  for (const url of [ME, USERS]) assertRefused(await service.get(url, { token }))
}

describe('an access token', () => {
  test('200 for one made by hand with the right secret, header and claims', async (t) => {
    await using service = await startService()
    const { access } = await service.addAdmin()
    const claims = claimsOf(access)

    for (const [why, token] of [
      ['as issued', forge({ claims })],
      ['typ in capitals', forge({ claims, header: { ...HEADER, typ: 'AT+JWT' } })],
      ['typ in full', forge({ claims, header: { ...HEADER, typ: 'application/at+jwt' } })],
      ['iat 5 seconds ahead', forge({ claims: { ...claims, iat: claims.iat + 5 } })],
      ['nbf 5 seconds ahead', forge({ claims: { ...claims, nbf: claims.iat + 5 } })],
      ['the last second of its life', forge({ claims: { ...claims, exp: claims.iat + 1 } })],
      ['bits that no byte needs', respell(access)],
    ] as const) {
      await t.test(why, async () => {
        for (const url of [ME, USERS]) {
          const answer = await service.get(url, { token })
          assert.equal(answer.status, 200, answer.text)
        }
      })
    }
  })

  for (const [family, forgeries] of [
    ['header', BAD_HEADERS],
    ['claims', BAD_CLAIMS],
    ['signature or shape', BAD_SIGNATURES],
  ] satisfies [string, readonly Forgery[]][]) {
    test(`401 invalid_token for a wrong ${family}`, async (t) => {
      await using service = await startService()
      const claims = claimsOf((await service.addAdmin()).access)

      for (const [why, make] of forgeries) {
        await t.test(why, () => assertRefusedEverywhere(service, make(claims, forgeByHmac)))
      }
    })
  }

  test('401 invalid_token for the session of somebody else', async () => {
    await using service = await startService()
    const ann = claimsOf((await service.addUser()).access)
    const admin = claimsOf((await service.addAdmin()).access)

    await assertRefusedEverywhere(service, forge({ claims: { ...admin, sid: ann.sid } }))
    await assertRefusedEverywhere(service, forge({ claims: { ...ann, sub: admin.sub } }))
  })

  test('401 invalid_token for other algorithms, with a key of the sender’s in the header', async (t) => {
    await using service = await startService()
    const claims = claimsOf((await service.addAdmin()).access)
    let fetched = 0
    const keyServer = createServer((_request, reply) => void reply.end(String(fetched++)))
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/keys`

    for (const alg of ['ES256', 'PS256', 'RS256', 'EdDSA']) {
      const { publicKey, privateKey } = await generateKeyPair(alg)
      const jwk = await exportJWK(publicKey)
      for (const members of [
        {},
        { jwk },
        { jku: url, kid: 'k' },
        { x5u: url },
        { x5c: ['MIIB'] },
      ]) {
        const signed = new SignJWT(claims).setProtectedHeader({ alg, typ: 'at+jwt', ...members })
        const token = await signed.sign(privateKey)
        await t.test(`${alg} ${Object.keys(members).join()}`, () =>
          assertRefusedEverywhere(service, token),
        )
      }
    }
    const fromUrl = forge({ claims, header: { ...HEADER, jku: url }, key: 'attacker' })
    await assertRefusedEverywhere(service, fromUrl)
    keyServer.close()
    assert.equal(fetched, 0)
  })

  test('401 invalid_token for a public key used as HMAC secret, and for an encrypted token', async () => {
    await using service = await startService()
    const claims = claimsOf((await service.addAdmin()).access)
    const { publicKey } = generateKeyPairSync('ed25519')
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const encrypted = new EncryptJWT(claims).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })

    for (const key of [pem, pem.trim(), `\n${pem}`]) {
      await assertRefusedEverywhere(service, forge({ claims, key }))
    }
    const key = Buffer.from(SETTINGS.SECRET_KEY).subarray(0, 32)
    await assertRefusedEverywhere(service, await encrypted.encrypt(key))
  })

  test('a role or a prototype among the claims gives no rights', async () => {
    await using service = await startService()
    const claims = claimsOf((await service.addUser()).access)
    const extra = '{"role":"admin","__proto__":{"role":"admin"},'

    const token = forge({ claims: JSON.stringify(claims).replace('{', extra) })
    const users = await service.get(USERS, { token })

    assertProblem(users, 'forbidden')
    assert.equal(({} as Claims)['role'], undefined)
    assert.equal((await service.get(ME, { token })).body.role, 'user')
  })

  test('401 invalid_token in the place of another kind of token', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    await assertRefusedEverywhere(service, ann.refresh)
    const refresh = await service.post('/api/v1/auth/refresh', { refresh_token: ann.access })
    assertProblem(refresh, 'invalid_token')
    const code = { email: ann.email, code: ann.access }
    assertInvalid(await service.post('/api/v1/auth/verify', code), '/code')
  })
})

describe('the Authorization header', () => {
  test('401 with the challenge of RFC 6750', async (t) => {
    await using service = await startService()
    for (const [why, authorization, challenge] of [
      ['none', undefined, 'Bearer'],
      ['another scheme', 'Basic YTpi', 'Bearer'],
      ['the scheme alone', 'Bearer', 'Bearer error="invalid_token"'],
      ['garbage', 'Bearer garbage', 'Bearer error="invalid_token"'],
      ['two words', 'Bearer a b', 'Bearer error="invalid_token"'],
      ['a list', 'Bearer a, Bearer b', 'Bearer error="invalid_token"'],
      ['quotes', 'Bearer "a"', 'Bearer error="invalid_token"'],
    ] as const) {
      await t.test(`for ${why}`, async () => {
        const headers = authorization === undefined ? {} : { authorization }
        for (const url of [ME, USERS]) {
          const answer = await service.get(url, { headers })
          assert.equal(answer.status, 401)
          assert.equal(answer.headers['www-authenticate'], challenge)
        }
      })
    }
  })

  test('200 for the scheme in any case', async () => {
    await using service = await startService()
    const { access } = await service.addUser()
    const answer = await service.get(ME, { headers: { authorization: `bEARER ${access}` } })
    assert.equal(answer.status, 200)
  })

  test('401 up to 16 KiB, 431 beyond, and the token is in no log line', async () => {
    await using service = await startService({ LOG_LEVEL: 'trace' })
    const claims = claimsOf((await service.addUser()).access)
    const url = `${await service.listen()}${ME}`
    const send = async (length: number) => {
      const token = forge({ claims: { ...claims, more: 'x'.repeat(length) } })
      const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      return { status: answer.status, token }
    }

    const long = await send(11_000)
    const tooLong = await send(13_000)

    assert.equal(long.status, 401)
    assert.equal(tooLong.status, 431)
    const log = service.logged.join('')
    assert.ok(log.includes('"status":401'))
    for (const { token } of [long, tooLong]) assert.ok(!log.includes(token.slice(-43)))
  })
})

describe('a token that was good, asked for again', () => {
  for (const [why, end] of [
    ['log-out', (s, { refresh }) => s.post('/api/v1/auth/logout', { refresh_token: refresh })],
    ['being disabled', (s, { id }, a) => s.patch(`${USERS}/${id}`, { disabled: true }, a)],
    ['being deleted', (s, { id }, a) => s.delete(`${USERS}/${id}`, a)],
    ['the end of all sessions', (s, { id }, a) => s.delete(`${USERS}/${id}/sessions`, a)],
  ] satisfies [
    string,
    (s: Service, user: { id: number; refresh: string }, by: { token: string }) => Promise<Answer>,
  ][]) {
    test(`401 invalid_token after ${why}, on every replica and in every spelling`, async () => {
      await using service = await startService()
      await using replica = await startService({}, { replicaOf: service })
      const admin = await service.addAdmin()
      const second = await service.addAdmin()
      for (const each of [service, replica]) await each.get(USERS, { token: second.access })

      const ended = await end(service, second, { token: admin.access })

      assert.ok(ended.status < 300, ended.text)
      for (const each of [service, replica]) {
        await assertRefusedEverywhere(each, second.access)
        await assertRefusedEverywhere(each, respell(second.access))
      }
      const again = await service.post('/api/v1/auth/refresh', { refresh_token: second.refresh })
      assertProblem(again, 'invalid_token')
    })
  }

  test('403 on an admin’s route from the request after the demotion', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const second = await service.addAdmin()
    assert.equal((await service.get(USERS, { token: second.access })).status, 200)

    await service.patch(`${USERS}/${second.id}`, { role: 'user' }, { token: admin.access })
    assertProblem(await service.get(USERS, { token: second.access }), 'forbidden')
    assert.equal((await service.get(ME, { token: second.access })).status, 200)
  })

  test('401 from the moment of its exp, to the millisecond', async () => {
    await using service = await startService({ ACCESS_TOKEN_EXPIRE_MINUTES: '60' })
    const { access } = await service.addUser()

    service.advance(HOUR_MS - 1)
    assert.equal((await service.get(ME, { token: access })).status, 200)
    service.advance(1)
    await assertRefusedEverywhere(service, access)
  })

  test('401 from the idle end of its session, although the token itself would last', async () => {
    await using service = await startService({ REFRESH_TOKEN_EXPIRE_DAYS: '1' })
    const claims = claimsOf((await service.addUser()).access)
    service.advance(DAY_MS - MINUTE_MS)
    const iat = service.clock.nowMs / SECOND_MS
    const token = forge({ claims: { ...claims, iat, exp: iat + 1800 } })

    assert.equal((await service.get(ME, { token })).status, 200)
    service.advance(MINUTE_MS)
    await assertRefusedEverywhere(service, token)
  })

  test('200 for a fresh one when the clock was put back; those of the future are refused', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    service.advance(-10 * MINUTE_MS)
    const fresh = await service.logIn(ann.email)

    assert.equal((await service.get(ME, { token: fresh.access })).status, 200)
    await assertRefusedEverywhere(service, ann.access)
  })

  test('401 for a number that went to nobody else: ids are not reused', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    await service.delete(`${USERS}/${ann.id}`, { token: admin.access })
    const again = await service.addUser('ann@example.com')

    assert.ok(again.id > ann.id)
    await assertRefusedEverywhere(service, ann.access)
  })
})

describe('a token of another service', () => {
  for (const [why, settings] of [
    ['another secret', { SECRET_KEY: 'other-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc' }],
    ['another address', { PUBLIC_URL: 'https://staging.example' }],
    ['another audience', { JWT_AUDIENCE: 'staging' }],
  ] as const) {
    test(`401 invalid_token from one with ${why}`, async () => {
      await using service = await startService()
      await using other = await startService(settings, { replicaOf: service })
      const admin = await service.addAdmin()
      await assertRefusedEverywhere(other, admin.access)
    })
  }

  test('no start with a secret that anybody could guess', () => {
    for (const key of ['secret', 'your-secret-key', '\0'.repeat(32), 'undefined', 'null']) {
      assert.throws(() => readConfig({ SECRET_KEY: key }), ConfigError)
    }
  })
})
