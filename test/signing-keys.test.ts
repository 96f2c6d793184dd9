import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import {
  calculateJwkThumbprint,
  CompactSign,
  decodeProtectedHeader,
  EncryptJWT,
  exportJWK,
  type JWSHeaderParameters,
} from 'jose'
import { MINUTE_MS } from '../server/lib/units.ts'
import { BAD_CLAIMS, BAD_HEADERS, BAD_SIGNATURES } from './support/forgeries.ts'
import { openFront, verifierFor } from './support/outside.ts'
import { assertProblem } from './support/problem.ts'
import { type Service, SETTINGS, startService } from './support/service.ts'
import {
  ALGORITHMS,
  createKeyFile,
  forgeWith,
  makePrivateKey,
  type TestKeyFile,
} from './support/signing-keys.ts'
import { type Claims, claimsOf, forge, type Forge } from './support/tokens.ts'

const ME = '/api/v1/me'
const USERS = '/api/v1/users'

async function assertRefusedEverywhere(service: Service, token: string): Promise<void> {
  for (const url of [ME, USERS]) {
    const answer = await service.get(url, { token })
    assertProblem(answer, 'invalid_token')
    assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
  }
}

for (const algorithm of ALGORITHMS) {
  describe(`with ALGORITHM=${algorithm}`, () => {
    let file: TestKeyFile
    let service: Service
    let claims: Claims & { iat: number; exp: number }
    let access: string
    let make: Forge
    before(async () => {
      file = createKeyFile(algorithm)
      service = await startService(file.settings)
      ;({ access } = await service.addAdmin())
      claims = claimsOf(access)
      make = forgeWith(file.newest())
    })
    after(async () => {
      await service[Symbol.asyncDispose]()
      file[Symbol.dispose]()
    })

    test('200 for a token of a login and of a refresh, named by its key’s thumbprint', async () => {
      const { privateKey } = file.newest()
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

    test('200 for one made by hand with the right key, header and claims', async (t) => {
      for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
        await t.test(typ, async () => {
          const token = make({ claims, header: { ...make.header, typ } })
          for (const url of [ME, USERS])
            assert.equal((await service.get(url, { token })).status, 200)
        })
      }
    })

    for (const [family, forgeries] of [
      ['header', BAD_HEADERS],
      // Judged after the signature, by whatever key it was.
      ['claims', algorithm === 'EdDSA' ? BAD_CLAIMS : BAD_CLAIMS.slice(0, 1)],
      ['signature or shape', BAD_SIGNATURES],
    ] as const) {
      test(`401 invalid_token for a wrong ${family}`, async (t) => {
        for (const [why, of] of forgeries) {
          await t.test(why, () => assertRefusedEverywhere(service, of(claims, make)))
        }
      })
    }

    test('401 invalid_token for HS256, whatever the secret is made of', async (t) => {
      const { kid, publicKey } = file.newest()
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
      const stranger = forgeWith({ ...file.newest(), privateKey: makePrivateKey(algorithm) })
      const { kid: own } = file.newest()
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
      for (const kid of [undefined, 'other', '', null, 1, ['a'], {}, `${file.newest().kid} `]) {
        await t.test(`kid ${JSON.stringify(kid)}`, () =>
          assertRefusedEverywhere(service, make({ claims, header: { ...make.header, kid } })),
        )
      }
    })

    test('401 invalid_token for a key in the header, or a URL of one, which nobody fetches', async () => {
      let fetched = 0
      const keyServer = createServer((_request, reply) => void reply.end(String(fetched++)))
      await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/keys`
      const privateKey = makePrivateKey(algorithm)
      const jwk = createPublicKey(privateKey).export({ format: 'jwk' })
      const stranger = forgeWith({ ...file.newest(), privateKey })

      for (const members of [{ jwk }, { jku: url }, { x5u: url }, { x5c: ['MIIB'] }]) {
        for (const by of [stranger, make])
          await assertRefusedEverywhere(
            service,
            by({ claims, header: { ...by.header, ...members } }),
          )
      }

      keyServer.close()
      assert.equal(fetched, 0)
    })

    test('401 invalid_token for an encrypted token, and for another spelling of the algorithm', async () => {
      const { kid, privateKey } = file.newest()
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
      await using issuer = await startService({ ...file.settings, PUBLIC_URL: front.url })
      front.passTo(await issuer.listen())
      const ann = await issuer.addUser()
      const verify = await verifierFor(front.url, { now: () => issuer.clock.nowMs })

      const { payload, protectedHeader } = await verify(ann.access)

      assert.equal(payload.sub, String(ann.id))
      assert.equal(protectedHeader.kid, file.newest().kid)
      await assert.rejects(verify(access), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
      await assert.rejects(verify(`${ann.access.slice(0, -10)}AAAAAAAAAA`), {
        name: 'JWSSignatureVerificationFailed',
      })
      issuer.advance(31 * MINUTE_MS)
      await assert.rejects(verify(ann.access), { code: 'ERR_JWT_EXPIRED' })
    })
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

test('401 with HS256 for a header that names a key', async () => {
  await using service = await startService()
  const claims = claimsOf((await service.addUser()).access)

  const token = forge({ claims, header: { alg: 'HS256', typ: 'at+jwt', kid: 'k' } })

  assertProblem(await service.get(ME, { token }), 'invalid_token')
})
