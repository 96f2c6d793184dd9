import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  calculateJwkThumbprint,
  CompactSign,
  decodeProtectedHeader,
  EncryptJWT,
  exportJWK,
  generateKeyPair,
  type JWSHeaderParameters,
  jwtVerify,
  SignJWT,
} from 'jose'
import { ConfigError, readConfig } from '../../server/settings/config.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { BAD_CLAIMS, BAD_HEADERS, BAD_SIGNATURES, type Forgery } from '../support/forgeries.ts'
import { answer as reply, startHttpServer } from '../support/http-server.ts'
import { openFront, verifierFor } from '../support/outside.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import {
  type Answer,
  type Service,
  SETTINGS,
  startService,
  type TestUser,
} from '../support/service.ts'
import {
  ALGORITHMS,
  createKeyFile,
  forgeWith,
  makePrivateKey,
  type TestKeyFile,
} from '../support/signing-keys.ts'
import {
  type Claims,
  claimsOf,
  forge,
  type Forge,
  forgeByHmac,
  HEADER,
  respell,
} from '../support/tokens.ts'

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

for (const algorithm of ['HS256', ...ALGORITHMS] as const) {
  describe(`an access token with ALGORITHM=${algorithm}`, () => {
    let file: TestKeyFile | undefined
    let service: Service
    let claims: ReturnType<typeof claimsOf>
    let access: string
    let make: Forge
    before(async () => {
      if (algorithm !== 'HS256') file = createKeyFile(algorithm)
      service = await startService(file?.settings)
      ;({ access } = await service.addAdmin())
      claims = claimsOf(access)
      make = file === undefined ? forgeByHmac : forgeWith(file.newest())
    })
    after(async () => {
      await service[Symbol.asyncDispose]()
      file?.[Symbol.dispose]()
    })

    test('200 for one made by hand with the right key, header and claims', async (t) => {
      for (const [why, token] of [
        ['as issued', make({ claims })],
        ['typ in capitals', make({ claims, header: { ...make.header, typ: 'AT+JWT' } })],
        ['typ in full', make({ claims, header: { ...make.header, typ: 'application/at+jwt' } })],
        ['iat 5 seconds ahead', make({ claims: { ...claims, iat: claims.iat + 5 } })],
        ['nbf 5 seconds ahead', make({ claims: { ...claims, nbf: claims.iat + 5 } })],
        ['the last second of its life', make({ claims: { ...claims, exp: claims.iat + 1 } })],
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

    // Judged after the signature, whatever key it was by: all of them by HMAC and by one key pair.
    const judgesClaims = algorithm === 'HS256' || algorithm === 'EdDSA'
    for (const [family, forgeries] of [
      ['header', BAD_HEADERS],
      ['claims', judgesClaims ? BAD_CLAIMS : BAD_CLAIMS.slice(0, 1)],
      ['signature or shape', BAD_SIGNATURES],
    ] satisfies [string, readonly Forgery[]][]) {
      test(`401 invalid_token for a wrong ${family}`, async (t) => {
        for (const [why, of] of forgeries) {
          await t.test(why, () => assertRefusedEverywhere(service, of(claims, make)))
        }
      })
    }

    if (algorithm === 'HS256') return
    const newest = () => {
      assert.ok(file)
      return file.newest()
    }

    test('200 for a token of a login and of a refresh, named by its key’s thumbprint', async () => {
      const { privateKey } = newest()
      const kid = await calculateJwkThumbprint(await exportJWK(createPublicKey(privateKey)))
      const ann = await service.addUser()
      const refresh = { refresh_token: ann.refresh }
      const { body } = await service.post('/api/v1/auth/refresh', refresh)

      for (const token of [ann.access, body.access_token]) {
        assert.equal((await service.get(ME, { token })).status, 200)
        assert.deepEqual(decodeProtectedHeader(token), { alg: algorithm, typ: 'at+jwt', kid })
        assert.ok(token.length <= 1024)
      }
    })

    test('401 invalid_token for HS256, whatever the secret is made of', async (t) => {
      const { kid, publicKey } = newest()
      const pem = publicKey.export({ type: 'spki', format: 'pem' })
      const jwk = publicKey.export({ format: 'jwk' })
      const secrets = {
        'the secret key': SETTINGS.SECRET_KEY,
        'the PEM': pem,
        'the PEM without its line break': pem.trim(),
        'the PEM after a line break': `\n${pem}`,
        'the PEM after a blank': ` ${pem}`,
        'the DER': publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'),
        'the JWK': JSON.stringify(jwk),
        'the key’s own member': String(jwk.x ?? jwk.n),
      }
      for (const [why, key] of Object.entries(secrets)) {
        for (const header of [
          { alg: 'HS256', typ: 'at+jwt' },
          { alg: 'HS256', typ: 'at+jwt', kid },
        ]) {
          await t.test(`${why}, ${Object.keys(header).join(' ')}`, () =>
            assertRefusedEverywhere(service, forge({ claims, header, key })),
          )
        }
      }
    })

    test('401 invalid_token for another key, whatever the header says of it', async (t) => {
      const stranger = forgeWith({ ...newest(), privateKey: makePrivateKey(algorithm) })
      const { kid: own } = newest()
      for (const kid of [own, undefined, 'other', '', null, 1, [own], {}, "' or '1'='1", '../x']) {
        await t.test(`kid ${JSON.stringify(kid)}`, () =>
          assertRefusedEverywhere(
            service,
            stranger({ claims, header: { ...stranger.header, kid } }),
          ),
        )
      }
    })

    test('401 invalid_token for our key under another name or under none', async (t) => {
      for (const kid of [undefined, 'other', '', null, 1, ['a'], {}, `${newest().kid} `]) {
        await t.test(`kid ${JSON.stringify(kid)}`, () =>
          assertRefusedEverywhere(service, make({ claims, header: { ...make.header, kid } })),
        )
      }
    })

    test('401 invalid_token for a key in the header, or a URL of one, which nobody fetches', async () => {
      await using keyServer = await startHttpServer(reply(200))
      const { url } = keyServer
      const privateKey = makePrivateKey(algorithm)
      const jwk = createPublicKey(privateKey).export({ format: 'jwk' })
      const stranger = forgeWith({ ...newest(), privateKey })

      for (const members of [{ jwk }, { jku: url }, { x5u: url }, { x5c: ['MIIB'] }]) {
        for (const by of [stranger, make])
          await assertRefusedEverywhere(
            service,
            by({ claims, header: { ...by.header, ...members } }),
          )
      }

      assert.deepEqual(keyServer.asked, [])
    })

    test('401 invalid_token for an encrypted token, and for another spelling of the algorithm', async () => {
      const { kid, privateKey } = newest()
      const names = { EdDSA: ['Ed25519'], ES256: [], RS256: ['RS384', 'RS512', 'PS256'] }[algorithm]
      for (const alg of names) {
        const signer = new CompactSign(Buffer.from(JSON.stringify(claims)))
        const header: JWSHeaderParameters = { alg, typ: 'at+jwt', kid }
        const token = await signer.setProtectedHeader(header as never).sign(privateKey)
        await assertRefusedEverywhere(service, token)
      }
      const header = { alg: 'dir', enc: 'A256GCM', typ: 'at+jwt', kid } as const
      const secret = Buffer.from(SETTINGS.SECRET_KEY).subarray(0, 32)
      const encrypted = await new EncryptJWT(claims).setProtectedHeader(header).encrypt(secret)
      await assertRefusedEverywhere(service, encrypted)
    })

    test('an independent library reads the tokens from outside, by metadata and JWK Set', async () => {
      await using front = await openFront()
      await using issuer = await startService({ ...file?.settings, PUBLIC_URL: front.url })
      front.passTo(await issuer.listen())
      const ann = await issuer.addUser()
      const verify = await verifierFor(front.url, { now: () => issuer.clock.nowMs })

      const { payload, protectedHeader } = await verify(ann.access)

      assert.equal(payload.sub, String(ann.id))
      assert.equal(protectedHeader.kid, newest().kid)
      await assert.rejects(verify(access), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
      await assert.rejects(verify(`${ann.access.slice(0, -10)}AAAAAAAAAA`), {
        name: 'JWSSignatureVerificationFailed',
      })
      issuer.advance(31 * MINUTE_MS)
      await assert.rejects(verify(ann.access), { code: 'ERR_JWT_EXPIRED' })
    })
  })
}

describe('an access token with HS256', () => {
  let service: Service
  let ann: TestUser
  let admin: TestUser
  before(async () => {
    service = await startService()
    ann = await service.addUser()
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  test('is, byte for byte, the one that jose signs, and jose verifies it', async () => {
    const key = Buffer.from(SETTINGS.SECRET_KEY)
    const { sid, iat, ...claims } = claimsOf(ann.access)
    const signing = new SignJWT({ sid })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setIssuer(String(claims['iss']))
      .setAudience(String(claims['aud']))
      .setSubject(claims.sub)
      .setJti(String(claims['jti']))
      .setIssuedAt(iat)
      .setExpirationTime(claims.exp)

    const { payload } = await jwtVerify(ann.access, key, { currentDate: new Date(iat * SECOND_MS) })

    assert.equal(ann.access, await signing.sign(key))
    assert.equal(payload.sub, String(ann.id))
  })

  test('401 invalid_token for a header that names a key', async () => {
    const header = { alg: 'HS256', typ: 'at+jwt', kid: 'k' }
    const token = forge({ claims: claimsOf(ann.access), header })

    assertProblem(await service.get(ME, { token }), 'invalid_token')
  })

  test('401 invalid_token for the session of somebody else', async () => {
    const [own, others] = [claimsOf(ann.access), claimsOf(admin.access)]

    await assertRefusedEverywhere(service, forge({ claims: { ...others, sid: own.sid } }))
    await assertRefusedEverywhere(service, forge({ claims: { ...own, sub: others.sub } }))
  })

  test('401 invalid_token for other algorithms, with a key of the sender’s in the header', async (t) => {
    const claims = claimsOf(admin.access)
    await using keyServer = await startHttpServer(reply(200))
    const { url } = keyServer

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
    assert.deepEqual(keyServer.asked, [])
  })

  test('401 invalid_token for a public key used as HMAC secret, and for an encrypted token', async () => {
    const claims = claimsOf(admin.access)
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
    const claims = claimsOf(ann.access)
    const extra = '{"role":"admin","__proto__":{"role":"admin"},'

    const token = forge({ claims: JSON.stringify(claims).replace('{', extra) })
    const users = await service.get(USERS, { token })

    assertProblem(users, 'forbidden')
    assert.equal(({} as Claims)['role'], undefined)
    assert.equal((await service.get(ME, { token })).body.role, 'user')
  })

  test('401 invalid_token in the place of another kind of token', async () => {
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

  test('401 between a service with HS256 and one with EdDSA; sessions go on from one to the other', async () => {
    using file = createKeyFile('EdDSA')
    await using before = await startService()
    await using now = await startService(file.settings, { replicaOf: before })
    const ann = await before.addUser()

    const renewed = await now.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })

    assert.equal(renewed.status, 200)
    const token = renewed.body.access_token
    assert.equal((await now.get(ME, { token })).status, 200)
    assertProblem(await now.get(ME, { token: ann.access }), 'invalid_token')
    assertProblem(await before.get(ME, { token }), 'invalid_token')
  })

  test('no start with a secret that anybody could guess', () => {
    for (const key of ['secret', 'your-secret-key', '\0'.repeat(32), 'undefined', 'null']) {
      assert.throws(() => readConfig({ SECRET_KEY: key }), ConfigError)
    }
  })
})
