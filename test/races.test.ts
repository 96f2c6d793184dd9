import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, ROUNDS, startReplicas, times } from './support/races.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const EMAIL = 'ann@example.com'

/** `ann@example.com` in one of many cases. */
const inCase = (index: number) =>
  [...EMAIL].map((letter, at) => ((index >> (at % 6)) & 1 ? letter.toUpperCase() : letter)).join('')

const usersNamed = (service: Service, email: string) =>
  service.ctx.db
    .selectFrom('users')
    .select(['id', 'verified_at', 'password_hash'])
    .where('email_canonical', '=', email)
    .execute()

describe('the same address signed up 50 times at once, in case variants, over two replicas', () => {
  const signUpAtOnce = ([first, second]: readonly [Service, Service]) =>
    Promise.all(
      times(50).map((index) =>
        (index % 2 ? first : second).post(SIGN_UP, { email: inCase(index), password: PASSWORD }),
      ),
    )

  test('201 five times and 429 for the others: one user, five attempts, five mails', async () => {
    await using replicas = await startReplicas()
    const [service] = replicas.pair

    const answers = await signUpAtOnce(replicas.pair)

    assert.deepEqual(countStatuses(answers), { 201: 5, 429: 45 })
    for (const answer of answers.filter(({ status }) => status === 429))
      assertProblem(answer, 'too_many_sign_ups')
    assert.equal((await usersNamed(service, EMAIL)).length, 1)
    assert.equal((await service.ctx.db.selectFrom('users').select('id').execute()).length, 1)
    assert.equal((await service.ctx.db.selectFrom('sign_ups').select('id').execute()).length, 5)
    assert.equal(await service.deliverMail(), 5)
  })

  test('503 with Retry-After beyond a short hash queue, and nothing else but 201 and 429', async () => {
    await using replicas = await startReplicas({ HASH_CONCURRENCY: '1', HASH_QUEUE: '3' })
    const [service] = replicas.pair

    const answers = await signUpAtOnce(replicas.pair)

    const { 201: made, 429: tooMany = 0, 503: overloaded = 0, ...others } = countStatuses(answers)
    assert.deepEqual(others, {})
    assert.equal((made ?? 0) + tooMany + overloaded, 50)
    assert.ok(overloaded > 0 && (made ?? 0) > 0)
    for (const answer of answers.filter(({ status }) => status === 503)) {
      assertProblem(answer, 'overloaded')
      assert.equal(answer.headers['retry-after'], '1')
    }
    assert.equal((await usersNamed(service, EMAIL)).length, 1)
  })
})

test('200 from verify means that the account is there, though a sign-up replaces it as expired', async () => {
  await using service = await startService()
  const { nowMs } = service.clock
  // One replica's clock is just before the account's end, the other's at it.
  const early = { nowMs: nowMs + 2 * DAY_MS - 1 }
  const late = { nowMs: nowMs + 2 * DAY_MS }
  await using verifier = await startService(
    { VERIFICATION_CODE_EXPIRE_HOURS: '72' },
    { replicaOf: { ...service, clock: early } },
  )
  await using replacer = await startService({}, { replicaOf: { ...service, clock: late } })
  const outcomes = new Set<string>()

  for (const n of times(ROUNDS)) {
    const email = `user${n}@example.com`
    await service.signUp(email)
    const body = { email, code: await service.codeFor(email) }
    const [verified, replaced] = await Promise.all([
      verifier.post(VERIFY, body),
      replacer.post(SIGN_UP, { email, password: 'the password of the newcomer' }),
    ])

    outcomes.add(`${verified.status} ${replaced.status}`)
    const [user, ...more] = await usersNamed(service, email)
    assert.equal(more.length, 0)
    assert.equal(user?.verified_at !== null, verified.status === 200)
    assert.equal(replaced.status, verified.status === 200 ? 409 : 201)
    if (verified.status === 200) await verifier.logIn(email)
  }

  assert.deepEqual(
    [...outcomes].filter((o) => o !== '200 409' && o !== '400 201'),
    [],
  )
})

describe('a sign-up against', () => {
  test('an admin’s delete: the attempt is whole or gone, and never a 5xx', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()

    for (const n of times(ROUNDS)) {
      const email = `racer${n}@example.com`
      await first.signUp(email)
      const [user] = await usersNamed(first, email)
      const [signedUp, deleted] = await Promise.all([
        first.post(SIGN_UP, { email, password: PASSWORD }),
        second.delete(`/api/v1/users/${user?.id}`, { token: admin.access }),
      ])

      assert.deepEqual([signedUp.status, deleted.status], [201, 200])
      const [left] = await usersNamed(first, email)
      const attempts = await first.ctx.db
        .selectFrom('sign_ups')
        .select('user_id')
        .where('id', '=', signedUp.body.sign_up_id)
        .execute()
      assert.deepEqual(
        attempts.map((attempt) => attempt.user_id),
        left === undefined ? [] : [left.id],
      )
      assert.notEqual(left?.id, user?.id)
    }
  })

  test('verify: the code’s own password or nothing, and no attempt is left behind', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair

    for (const n of times(ROUNDS)) {
      const email = `racer${n}@example.com`
      // Named: the other sign-up comes from another network.
      const sign_up_id = await first.signUp(email)
      const body = { email, sign_up_id, code: await first.codeFor(email) }
      const [verified, again] = await Promise.all([
        first.post(VERIFY, body),
        second.post(SIGN_UP, { email, password: 'the password of somebody else' }),
      ])

      assert.equal(verified.status, 200, verified.text)
      assert.ok([201, 409].includes(again.status), again.text)
      const [user] = await usersNamed(first, email)
      const attempts = await first.ctx.db
        .selectFrom('sign_ups')
        .select('id')
        .where('user_id', '=', user?.id ?? 0)
        .execute()
      assert.deepEqual(attempts, [])
      await first.logIn(email, PASSWORD)
    }
  })
})
