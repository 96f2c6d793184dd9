import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { deriveCode } from '../../server/keys/codes.ts'
import { enqueueMessage } from '../../server/outbox/outbox.ts'
import { LONG } from '../support/long.ts'
import { chiSquareDistance, partCounts } from '../support/codes.ts'
import { times } from '../support/races.ts'
import { type Service, startService } from '../support/service.ts'

const DERIVED = LONG ? 1_000_000 : 200_000
const SIGN_UPS = LONG ? 10_000 : 2000

function assertUniform(codes: readonly string[]): void {
  for (const [part, counts] of partCounts(codes)) {
    const distance = chiSquareDistance(counts)
    // Too even is as suspicious as too uneven: a counter is perfectly even.
    assert.ok(Math.abs(distance) < 6, `digits ${part} are ${distance.toFixed(1)} deviations off`)
  }
}

/** Pearson's correlation of each code with the one before. */
function serialCorrelation(codes: readonly string[]): number {
  const numbers = codes.map(Number)
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const covariance = numbers
    .slice(1)
    .reduce((sum, value, index) => sum + (value - mean) * ((numbers[index] ?? 0) - mean), 0)
  return covariance / variance
}

/** One sign-up by the API, and as many like it, whose ids are the same at each run: so are the codes. */
async function signUpOften({ ctx, clock, ...service }: Service): Promise<void> {
  await service.signUp('ann@example.com')
  await service.deliverMail()
  const signUp = await ctx.db.selectFrom('sign_ups').selectAll().executeTakeFirstOrThrow()
  const rows = times(SIGN_UPS).map((n) => ({
    ...signUp,
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  }))
  for (let start = 0; start < SIGN_UPS; start += 500) {
    const some = rows.slice(start, start + 500)
    await ctx.transaction(async (tx) => {
      await tx.insertInto('sign_ups').values(some).execute()
      for (const [n, { id }] of some.entries()) {
        const dueAtMs = clock.nowMs + start + n
        await enqueueMessage(tx, 'verification', { signUpId: id }, { nowMs: clock.nowMs, dueAtMs })
      }
    })
  }
}

describe('verification codes', () => {
  test(`${DERIVED} derived codes are uniform in every digit and over the whole range`, () => {
    const key = createSecretKey(Buffer.alloc(32, 7))
    const codes = Array.from({ length: DERIVED }, (_, n) => deriveCode(key, 'verify', String(n)))

    assertUniform(codes)
    const perCode = Array.from<number>({ length: 1_000_000 }).fill(0)
    for (const code of codes) perCode[Number(code)]!++
    assert.ok(Math.abs(chiSquareDistance(perCode)) < 6)
  })

  test(`the codes mailed for ${SIGN_UPS} sign-ups are uniform, unrelated, and some begin with zeros`, async () => {
    // More sign-up mails than an hour may have.
    await using service = await startService({ RATE_LIMIT: 'off' })
    await signUpOften(service)
    service.advance(SIGN_UPS)
    service.mailer.sent.length = 0
    await service.deliverMail()

    const codes = service.mailer.sent.map((mail) => /\b[0-9]{6}\b/.exec(mail.text)?.[0] ?? '')

    assert.equal(codes.length, SIGN_UPS)
    assert.ok(codes.every((code) => code.length === 6))
    assert.ok(codes.some((code) => code.startsWith('00')))
    // By chance about 50 pairs of 10 000 are equal, 2 of 2000; a short cycle has many more.
    assert.ok(new Set(codes).size > SIGN_UPS - 150)
    assertUniform(codes)
    assert.ok(Math.abs(serialCorrelation(codes)) < 6 / Math.sqrt(SIGN_UPS))
  })
})
