import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '../server/lib/units.ts'
import { otherThan } from './support/codes.ts'
import { assertProblem } from './support/problem.ts'
import { type Service, startService } from './support/service.ts'

const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const email = 'ann@example.com'

/** When each counted try was made, oldest first. */
async function countedTries({ ctx }: Service, of = email): Promise<number[]> {
  const row = await ctx.db
    .selectFrom('code_failures')
    .select('times')
    .where('email_canonical', '=', of)
    .executeTakeFirst()
  return (JSON.parse(row?.times ?? '[]') as string[]).map((time) => Date.parse(time))
}

async function signUp(service: Service): Promise<{ right: string; wrong: string }> {
  await service.signUp(email)
  const right = await service.codeFor(email)
  return { right, wrong: otherThan(right) }
}

describe('the budget of wrong codes', () => {
  test('400 for the right code after five wrong ones, with the same answer; 200 an hour later', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    for (let n = 0; n < 5; n++)
      assertProblem(await service.post(VERIFY, { email, code: wrong }), 'invalid_code')

    const atOnce = await service.post(VERIFY, { email, code: right })
    service.advance(HOUR_MS - 1)
    const tooEarly = await service.post(VERIFY, { email, code: right })
    service.advance(1)
    const afterAnHour = await service.post(VERIFY, { email, code: right })

    assertProblem(atOnce, 'invalid_code')
    assertProblem(tooEarly, 'invalid_code')
    assert.equal(afterAnHour.status, 200)
  })

  test('200 for the right code as the fifth try', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    for (let n = 0; n < 4; n++) await service.post(VERIFY, { email, code: wrong })

    assert.equal((await service.post(VERIFY, { email, code: right })).status, 200)
  })

  test('one more try every hour: the second within an hour is refused', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    for (let n = 0; n < 5; n++) await service.post(VERIFY, { email, code: wrong })
    service.advance(HOUR_MS)
    await service.post(VERIFY, { email, code: wrong })

    const second = await service.post(VERIFY, { email, code: right })

    assertProblem(second, 'invalid_code')
    assert.equal((await countedTries(service)).length, 6)
  })

  test('at most twenty tries in any 24 hours, however often the code is mailed again', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    const counted = new Set<number>()
    let total = 0
    for (let hour = 0; hour < 46; hour++) {
      await service.post(RESEND, { email })
      await service.deliverMail()
      // Each try at a millisecond of its own, so that each can be told apart.
      for (let n = 0; n < 6; n++) {
        await service.post(VERIFY, { email, code: wrong })
        service.advance(1)
      }
      for (const time of await countedTries(service)) counted.add(time)
      service.advance(HOUR_MS - 6)
    }

    const times = [...counted].sort((a, b) => a - b)
    for (const start of times) {
      const within = times.filter((time) => time >= start && time < start + DAY_MS)
      assert.ok(within.length <= 20)
      total = Math.max(total, within.length)
    }
    assert.equal(total, 20)
    assert.equal(await service.codeFor(email), right)
  })

  test('400 for the right code after twenty wrong ones in 24 hours; 200 when the first are a day old', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    const startMs = service.clock.nowMs
    for (let n = 0; n < 5; n++) await service.post(VERIFY, { email, code: wrong })
    for (let n = 0; n < 15; n++) {
      service.advance(HOUR_MS)
      await service.post(VERIFY, { email, code: wrong })
    }
    await service.post(RESEND, { email })
    await service.deliverMail()
    service.advance(4 * HOUR_MS)
    const after19h = await service.post(VERIFY, { email, code: right })
    service.advance(startMs + DAY_MS - 1 - service.clock.nowMs)
    const tooEarly = await service.post(VERIFY, { email, code: right })
    service.advance(1)
    const afterADay = await service.post(VERIFY, { email, code: right })

    assert.equal((await countedTries(service)).length, 0)
    assertProblem(after19h, 'invalid_code')
    assertProblem(tooEarly, 'invalid_code')
    assert.equal(afterADay.status, 200)
  })

  for (const [why, again] of [
    ['a resend', (service: Service) => service.post(RESEND, { email })],
    ['another sign-up', (service: Service) => service.signUp(email)],
  ] as const) {
    test(`400 for the right code after five wrong ones and ${why}`, async () => {
      await using service = await startService()
      const { wrong } = await signUp(service)
      for (let n = 0; n < 5; n++) await service.post(VERIFY, { email, code: wrong })
      await again(service)
      const newest = await service.codeFor(email)

      assertProblem(await service.post(VERIFY, { email, code: newest }), 'invalid_code')
    })
  }

  test('400 after the account’s end too: signing up afresh gives no new tries', async () => {
    await using service = await startService({
      UNVERIFIED_USER_TTL_HOURS: '1',
      VERIFICATION_CODE_EXPIRE_HOURS: '1',
    })
    await signUp(service)
    service.advance(HOUR_MS - 1)
    for (let n = 0; n < 5; n++) await service.post(VERIFY, { email, code: '000000' })
    service.advance(1)

    const { right } = await signUp(service)

    assertProblem(await service.post(VERIFY, { email, code: right }), 'invalid_code')
  })

  test('a success clears it: nothing is left of earlier tries', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    for (let n = 0; n < 3; n++) await service.post(VERIFY, { email, code: wrong })

    await service.post(VERIFY, { email, code: right })

    assert.deepEqual(await service.ctx.db.selectFrom('code_failures').selectAll().execute(), [])
  })

  test('all spellings of an address share it, and an unknown address has one as well', async () => {
    await using service = await startService()
    for (const typed of ['Bob@example.com', 'bob@EXAMPLE.com', 'BOB@example.com'])
      await service.post(VERIFY, { email: typed, code: '000000' })

    assert.equal((await countedTries(service, 'bob@example.com')).length, 3)
    assert.equal((await countedTries(service)).length, 0)
  })

  test('RATE_LIMIT=off does not lift it', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { right, wrong } = await signUp(service)
    for (let n = 0; n < 5; n++) await service.post(VERIFY, { email, code: wrong })

    assertProblem(await service.post(VERIFY, { email, code: right }), 'invalid_code')
  })

  test('at most five are counted, and so compared, of forty at once over two replicas', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    const { right, wrong } = await signUp(service)

    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 ? service : replica).post(VERIFY, { email, code: wrong }),
      ),
    )

    for (const answer of answers) assertProblem(answer, 'invalid_code')
    assert.equal((await countedTries(service)).length, 5)
    assertProblem(await service.post(VERIFY, { email, code: right }), 'invalid_code')
  })

  test('the right code forty times at once: one 200, the others 400 and never a 500', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    const { right } = await signUp(service)

    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 ? service : replica).post(VERIFY, { email, code: right }),
      ),
    )

    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    assert.deepEqual([count(200), count(400)], [1, 39])
  })
})
