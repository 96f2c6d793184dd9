import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTokenVerifier } from '../../server/accounts/access-tokens.ts'
import { refreshTokenFor } from '../../server/accounts/sessions.ts'
import { deriveCode } from '../../server/keys/codes.ts'
import { createKeyRing } from '../../server/keys/key-ring.ts'
import { readConfig } from '../../server/settings/config.ts'
import { assertProblem } from '../support/problem.ts'
import { type Answer, PASSWORD, type Service, SETTINGS, startService } from '../support/service.ts'
import { claimsOf, forge } from '../support/tokens.ts'

const OLD = SETTINGS.SECRET_KEY
const NEW = 'next-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'
const EMAIL = 'ann@example.com'

/** The replicas that meet while the key is rotated: each step may run beside the one before it. */
const BEFORE = {}
const ANNOUNCED = { SECRET_KEY: OLD, SECRET_KEY_PREVIOUS: NEW }
const SWAPPED = { SECRET_KEY: NEW, SECRET_KEY_PREVIOUS: OLD }
const DONE = { SECRET_KEY: NEW }

const NEIGHBOURS = [
  ['before and step 1', BEFORE, ANNOUNCED],
  ['step 1 and step 2', ANNOUNCED, SWAPPED],
  ['step 2 and step 3, once the old key has signed nothing that lives', SWAPPED, DONE],
] as const

type Neighbours = readonly [why: string, one: Record<string, string>, other: Record<string, string>]

const refresh = (service: Service, token: string) =>
  service.post('/api/v1/auth/refresh', { refresh_token: token })
const verify = (service: Service, code: string) =>
  service.post('/api/v1/auth/verify', { email: EMAIL, code })
const me = (service: Service, token: string) => service.get('/api/v1/me', { token })

function assertDone(...answers: Answer[]): void {
  for (const answer of answers) assert.ok(answer.status < 300, answer.text)
}

/** Each of two replicas that meet hands a user over to the other. */
function testNeighbours(neighbours: readonly Neighbours[]): void {
  for (const [why, one, other] of neighbours) {
    for (const [direction, from, to] of [
      ['the earlier gives to the later', one, other],
      ['the later gives to the earlier', other, one],
    ] as const) {
      test(`tokens and codes pass between ${why}: ${direction}`, async () => {
        await using first = await startService(from)
        await using second = await startService(to, { replicaOf: first })
        await first.signUp(EMAIL)

        assertDone(await verify(second, await first.codeFor(EMAIL)))
        const tokens = await first.logIn(EMAIL)
        const rotated = await refresh(second, tokens.refresh)
        const back = await refresh(first, rotated.body.refresh_token)

        assertDone(await me(second, tokens.access), rotated, back)
        assertDone(await me(first, rotated.body.access_token))
        assertDone(await me(second, back.body.access_token))
      })
    }
  }
}

describe('while the secret key is rotated', () => {
  testNeighbours(NEIGHBOURS)

  test('a repetition within the grace gets the same generation from every replica', async () => {
    await using announced = await startService(ANNOUNCED)
    await using swapped = await startService(SWAPPED, { replicaOf: announced })
    const ann = await announced.addUser()

    const answers = [await refresh(announced, ann.refresh), await refresh(swapped, ann.refresh)]

    assertDone(...answers)
    const tokens = answers.map(({ body }) => body.refresh_token as string)
    const withoutMac = tokens.map((token) => token.slice(0, token.lastIndexOf('.')))
    assert.equal(withoutMac[0], withoutMac[1])
    assertDone(await refresh(announced, tokens[1] ?? ''))
  })

  test('a session that was used after the swap outlives the old key', async () => {
    await using service = await startService(BEFORE)
    await using swapped = await startService(SWAPPED, { replicaOf: service })
    await using done = await startService(DONE, { replicaOf: service })
    const ann = await service.addUser()

    const rotated = await refresh(swapped, ann.refresh)

    assertDone(rotated, await me(done, rotated.body.access_token))
    assertDone(await refresh(done, rotated.body.refresh_token))
  })
})

const JWT = 'token-0nly-Wd8rTn3KxV6hPz1QmYb9LcGs5jFa'
const NEXT_JWT = 'token-next-Zq7cRv2LyH4kTn9WxBm6PdJs3gFe'
const ONE_KEY = { SECRET_KEY: OLD }
const TOLD = { SECRET_KEY: OLD, JWT_SECRET_KEY_PREVIOUS: JWT }
const MOVED = { SECRET_KEY: OLD, JWT_SECRET_KEY: JWT, JWT_SECRET_KEY_PREVIOUS: OLD }
const TWO_KEYS = { SECRET_KEY: OLD, JWT_SECRET_KEY: JWT }

describe('while access tokens get a key of their own, and while that is rotated', () => {
  testNeighbours([
    ['one key and step 1', ONE_KEY, TOLD],
    ['step 1 and step 2', TOLD, MOVED],
    ['step 2 and two keys', MOVED, TWO_KEYS],
    ['two keys and step 1', TWO_KEYS, { ...TWO_KEYS, JWT_SECRET_KEY_PREVIOUS: NEXT_JWT }],
    [
      'step 1 and step 2 of the next key',
      { ...TWO_KEYS, JWT_SECRET_KEY_PREVIOUS: NEXT_JWT },
      { SECRET_KEY: OLD, JWT_SECRET_KEY: NEXT_JWT, JWT_SECRET_KEY_PREVIOUS: JWT },
    ],
    [
      'the steps of the secret key',
      { ...SWAPPED, JWT_SECRET_KEY: JWT },
      { ...ANNOUNCED, JWT_SECRET_KEY: JWT },
    ],
  ])
})

describe('where access tokens have a key of their own', () => {
  test('401 for a token signed with the secret key, 200 for one signed with their own', async () => {
    await using service = await startService(TWO_KEYS)
    const ann = await service.addUser()
    const claims = claimsOf(ann.access)

    assertDone(await me(service, forge({ claims, key: JWT })))
    assertProblem(await me(service, forge({ claims, key: OLD })), 'invalid_token')
  })

  test('400 and 401 for codes and refresh tokens derived from it, which a verifier could compute', async () => {
    await using service = await startService(TWO_KEYS)
    const verifier = createKeyRing(JWT)
    const ann = await service.addUser()
    const [sessionId = ''] = ann.refresh.split('.')
    const signUpId = await service.signUp(EMAIL)
    const code = await service.codeFor(EMAIL)

    const guessed = deriveCode(verifier.current.of.code, 'verify', signUpId)
    assert.notEqual(guessed, code)
    assertProblem(await verify(service, guessed), 'invalid_code')
    const forged = refreshTokenFor(verifier, sessionId, 0)
    assertProblem(await refresh(service, forged), 'invalid_token')
    assertDone(await refresh(service, ann.refresh), await verify(service, code))
  })

  test('401 for a token of the secret key once the hour after the upgrade is over', async () => {
    await using before = await startService(ONE_KEY)
    const ann = await before.addUser()
    const { config, secrets } = readConfig({
      ...SETTINGS,
      ...TWO_KEYS,
      DATABASE_URL: before.databaseUrl,
    })
    const replaced = { ...secrets.keys.current, acceptedUntilMs: before.clock.nowMs + 1000 }
    const all = [...secrets.tokenKeys.all, replaced]
    const verifyToken = createTokenVerifier({
      ...before.ctx,
      config,
      tokenKeys: { ...secrets.tokenKeys, all },
    })
    const claims = claimsOf(ann.access)

    await verifyToken(ann.access)
    before.advance(1000)
    const later = forge({ claims: { ...claims, jti: 'another' }, key: OLD })

    await assert.rejects(verifyToken(later), { code: 'invalid_token' })
  })
})

describe('once the old key is gone', () => {
  test('401 and 400 for what it signed, and nothing is touched by trying', async () => {
    await using service = await startService(BEFORE)
    await using done = await startService(DONE, { replicaOf: service })
    const bob = await service.addUser('bob@example.com')
    await service.signUp(EMAIL)
    const code = await service.codeFor(EMAIL)

    assertProblem(await me(done, bob.access), 'invalid_token')
    assertProblem(await refresh(done, bob.refresh), 'invalid_token')
    assertProblem(await verify(done, code), 'invalid_code')

    assertDone(await me(service, bob.access), await refresh(service, bob.refresh))
    assertDone(await verify(service, code))
  })

  test('401 for the new key’s tokens on a replica that was not told of it', async () => {
    await using service = await startService(BEFORE)
    await using done = await startService(DONE, { replicaOf: service })
    const ann = await done.addUser()

    assertProblem(await me(service, ann.access), 'invalid_token')
    assertProblem(await refresh(service, ann.refresh), 'invalid_token')
  })

  test('no mail goes out with a code that nobody can prove; a further sign-up gets its own', async () => {
    await using service = await startService(BEFORE)
    await using done = await startService(DONE, { replicaOf: service })
    await service.signUp(EMAIL)

    await done.deliverMail()
    const unsent = done.mailsTo(EMAIL).length
    await done.signUp(EMAIL)
    const verified = await verify(done, await done.codeFor(EMAIL))

    assert.equal(unsent, 0)
    assertDone(verified, await done.post('/auth/login', { email: EMAIL, password: PASSWORD }))
  })
})
