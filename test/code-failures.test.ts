import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '../server/lib/units.ts'
import { otherThan } from './support/codes.ts'
import { assertProblem } from './support/problem.ts'
import { oneByOne } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

// What many guess at once is in test/races.test.ts.

const email = 'ann@example.com'

const guess = (service: Service, code: string, address = email) =>
  service.post('/api/v1/auth/verify', { email: address, code })
const guessOften = (service: Service, code: string, count: number) =>
  oneByOne(count, () => guess(service, code))

async function resend(service: Service): Promise<void> {
  await service.post('/api/v1/auth/verify/resend', { email })
  await service.deliverMail()
}

/** When each counted try was made, oldest first. */
async function countedTries({ ctx }: Service, of = email): Promise<number[]> {
  const row = (await rowsOf(ctx, 'code_failures')).find((one) => one.email_canonical === of)
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
    const refused = await guessOften(service, wrong, 5)

    refused.push(await guess(service, right))
    service.advance(HOUR_MS - 1)
    refused.push(await guess(service, right))
    service.advance(1)
    const afterAnHour = await guess(service, right)

    for (const answer of refused) assertProblem(answer, 'invalid_code')
    assert.equal(afterAnHour.status, 200)
  })

  test('200 for the right code as the fifth try, which leaves nothing of the others', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    await guessOften(service, wrong, 4)

    assert.equal((await guess(service, right)).status, 200)
    assert.deepEqual(await rowsOf(service.ctx, 'code_failures'), [])
  })

  test('one more try every hour: the second within an hour is refused', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    await guessOften(service, wrong, 5)
    service.advance(HOUR_MS)
    await guess(service, wrong)

    const second = await guess(service, right)

    assertProblem(second, 'invalid_code')
    assert.equal((await countedTries(service)).length, 6)
  })

  test('at most twenty tries in any 24 hours, however often the code is mailed again', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    const counted = new Set<number>()
    for (let hour = 0; hour < 46; hour++) {
      await resend(service)
      // Each try at a millisecond of its own, so that each can be told apart.
      for (let n = 0; n < 6; n++) {
        await guess(service, wrong)
        service.advance(1)
      }
      for (const time of await countedTries(service)) counted.add(time)
      service.advance(HOUR_MS - 6)
    }

    const times = [...counted]
    const inADay = times.map(
      (start) => times.filter((time) => time >= start && time < start + DAY_MS).length,
    )
    assert.equal(Math.max(...inADay), 20)
    assert.equal(await service.codeFor(email), right)
  })

  test('400 for the right code after twenty wrong ones in 24 hours; 200 when the first are a day old', async () => {
    await using service = await startService()
    const { right, wrong } = await signUp(service)
    const startMs = service.clock.nowMs
    await guessOften(service, wrong, 5)
    for (let n = 0; n < 15; n++) {
      service.advance(HOUR_MS)
      await guess(service, wrong)
    }
    await resend(service)
    service.advance(4 * HOUR_MS)
    const after19h = await guess(service, right)
    service.advance(startMs + DAY_MS - 1 - service.clock.nowMs)
    const tooEarly = await guess(service, right)
    service.advance(1)
    const afterADay = await guess(service, right)

    assert.equal((await countedTries(service)).length, 0)
    assertProblem(after19h, 'invalid_code')
    assertProblem(tooEarly, 'invalid_code')
    assert.equal(afterADay.status, 200)
  })

  for (const [why, again] of [
    ['a resend', resend],
    ['another sign-up', (service: Service) => service.signUp(email)],
  ] as const) {
    test(`400 for the right code after five wrong ones and ${why}`, async () => {
      await using service = await startService()
      const { wrong } = await signUp(service)
      await guessOften(service, wrong, 5)
      await again(service)
      const newest = await service.codeFor(email)

      assertProblem(await guess(service, newest), 'invalid_code')
    })
  }

  test('400 after the account’s end too: signing up afresh gives no new tries', async () => {
    await using service = await startService({
      UNVERIFIED_USER_TTL_HOURS: '1',
      VERIFICATION_CODE_EXPIRE_HOURS: '1',
    })
    await signUp(service)
    service.advance(HOUR_MS - 1)
    await guessOften(service, '000000', 5)
    service.advance(1)

    const { right } = await signUp(service)

    assertProblem(await guess(service, right), 'invalid_code')
  })

  test('all spellings of an address share it, and an unknown address has one as well', async () => {
    await using service = await startService()
    for (const typed of ['Bob@example.com', 'bob@EXAMPLE.com', 'BOB@example.com'])
      await guess(service, '000000', typed)

    assert.equal((await countedTries(service, 'bob@example.com')).length, 3)
    assert.equal((await countedTries(service)).length, 0)
  })

  test('RATE_LIMIT=off does not lift it', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { right, wrong } = await signUp(service)
    await guessOften(service, wrong, 5)

    assertProblem(await guess(service, right), 'invalid_code')
  })
})
