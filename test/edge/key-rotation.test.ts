import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertProblem } from '../support/problem.ts'
import { type Answer, PASSWORD, type Service, SETTINGS, startService } from '../support/service.ts'

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

const refresh = (service: Service, token: string) =>
  service.post('/api/v1/auth/refresh', { refresh_token: token })
const verify = (service: Service, code: string) =>
  service.post('/api/v1/auth/verify', { email: EMAIL, code })
const me = (service: Service, token: string) => service.get('/api/v1/me', { token })

function assertDone(...answers: Answer[]): void {
  for (const answer of answers) assert.ok(answer.status < 300, answer.text)
}

describe('while the secret key is rotated', () => {
  for (const [why, one, other] of NEIGHBOURS) {
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
