import type { Tx } from '../database/connect.ts'
import { DAY_MS, HOUR_MS, toIso } from '../lib/units.ts'

const AT_ONCE = 5
const PER_DAY = 20

/**
 * Counts a try at an address's codes, before anything is compared, and says whether it may go on:
 * five at once, one more every hour, twenty in 24 hours, the same for unknown addresses. A new code
 * does not reset the count (NIST SP 800-63B-4 section 3.1.3.2). Refused tries are not counted.
 */
export async function countCodeTry(tx: Tx, email: string, nowMs: number): Promise<boolean> {
  // One statement: a right code may delete the row at any time, also between an insert and a select.
  const { times } = await tx
    .insertInto('code_failures')
    .values({ email_canonical: email, purpose: 'verify', times: '[]' })
    .onConflict((conflict) =>
      conflict
        .columns(['email_canonical', 'purpose'])
        .doUpdateSet((eb) => ({ times: eb.ref('code_failures.times') })),
    )
    .returning('times')
    .executeTakeFirstOrThrow()
  const tries = (JSON.parse(times) as string[])
    .map((time) => Date.parse(time))
    .filter((timeMs) => timeMs > nowMs - DAY_MS)
  if (tries.length >= PER_DAY || waterLevel(tries, nowMs) > AT_ONCE - 1) return false
  await tx
    .updateTable('code_failures')
    .set({ times: JSON.stringify([...tries, nowMs].map(toIso)) })
    .where('email_canonical', '=', email)
    .where('purpose', '=', 'verify')
    .execute()
  return true
}

/** A right code shows that its owner is typing. */
export async function clearCodeFailures(tx: Tx, email: string): Promise<void> {
  await tx.deleteFrom('code_failures').where('email_canonical', '=', email).execute()
}

/** A leaky bucket: each try adds one, each hour takes one away. */
function waterLevel(tries: readonly number[], nowMs: number): number {
  let level = 0
  let before = tries[0] ?? nowMs
  for (const timeMs of tries) {
    level = drained(level, timeMs - before) + 1
    before = timeMs
  }
  return drained(level, nowMs - before)
}

function drained(level: number, elapsedMs: number): number {
  return Math.max(0, level - elapsedMs / HOUR_MS)
}
