import { sql } from 'kysely'
import type { Tx } from '../database/connect.ts'
import type { CodeBudget } from '../database/schema.ts'
import { DAY_MS, HOUR_MS, toIso } from '../lib/units.ts'

const BURST = 5
const PER_DAY = 20

interface Budget {
  /** Canonical, or the key from `countKeyOf`. */
  readonly email: string
  readonly purpose: CodeBudget
}

/**
 * Counts an attempt at an address's codes before any comparison; false when the budget is exhausted: a
 * burst of five, one more per hour, twenty in 24 hours, the same for unknown addresses. A new code does
 * not reset the count (NIST SP 800-63B-4 section 3.1.3.2). Refused attempts are not counted.
 */
export async function countCodeTry(
  tx: Tx,
  { email, purpose }: Budget,
  nowMs: number,
): Promise<boolean> {
  // One statement: a correct code may delete the row between an insert and a select.
  const { times } = await tx
    .insertInto('code_failures')
    .values({ email_canonical: email, purpose, times: '[]' })
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
  if (tries.length >= PER_DAY || waterLevel(tries, nowMs) > BURST - 1) return false
  await tx
    .updateTable('code_failures')
    .set({ times: JSON.stringify([...tries, nowMs].map(toIso)) })
    .where('email_canonical', '=', email)
    .where('purpose', '=', purpose)
    .execute()
  return true
}

/** Resets the count after a correct code. */
export async function clearCodeFailures(tx: Tx, { email, purpose }: Budget): Promise<void> {
  await tx
    .deleteFrom('code_failures')
    .where('email_canonical', '=', email)
    .where('purpose', '=', purpose)
    .execute()
}

/**
 * Uncounts one attempt, the correct one. For codes that users can request for themselves: a reset of
 * the count would buy four guesses at another person's number for each proof of one's own.
 */
export async function takeBackCodeTry(
  tx: Tx,
  { email, purpose }: Budget,
  tryMs: number,
): Promise<void> {
  const row = await tx
    .selectFrom('code_failures')
    .select('times')
    .where('email_canonical', '=', email)
    .where('purpose', '=', purpose)
    .forUpdate()
    .executeTakeFirst()
  const times = JSON.parse(row?.times ?? '[]') as string[]
  const index = times.lastIndexOf(toIso(tryMs))
  if (index === -1) return
  if (times.length === 1) return clearCodeFailures(tx, { email, purpose })
  await tx
    .updateTable('code_failures')
    .set({ times: JSON.stringify(times.toSpliced(index, 1)) })
    .where('email_canonical', '=', email)
    .where('purpose', '=', purpose)
    .execute()
}

/**
 * Moves a user's counts to a new address: otherwise a change of address would buy more guesses at a
 * phone number. Attempts at a sign-up's code stay with the old address.
 */
export async function moveCodeFailures(
  tx: Tx,
  { from, to, nowMs }: { from: string; to: string; nowMs: number },
): Promise<void> {
  for (const purpose of ['phone', 'email'] as const) {
    const rows = await tx
      .deleteFrom('code_failures')
      .where('email_canonical', 'in', [from, to])
      .where('purpose', '=', purpose)
      .returning('times')
      .execute()
    const times = rows.flatMap((row) => JSON.parse(row.times) as string[]).toSorted()
    const recent = times.filter((time) => time > toIso(nowMs - DAY_MS))
    if (recent.length === 0) continue
    await tx
      .insertInto('code_failures')
      .values({ email_canonical: to, purpose, times: JSON.stringify(recent) })
      .onConflict((conflict) =>
        conflict
          .columns(['email_canonical', 'purpose'])
          .doUpdateSet({ times: JSON.stringify(recent) }),
      )
      .execute()
  }
}

export async function forgetCodeFailuresOf(tx: Tx, emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return
  await tx.deleteFrom('code_failures').where('email_canonical', 'in', emails).execute()
}

/** Deletes at most `limit` rows whose newest attempt is older than 24 hours; returns how many. */
export async function deleteOldCodeFailures(tx: Tx, nowMs: number, limit: number): Promise<number> {
  // The newest time is the last of the JSON list: 24 characters before `"]`.
  const newest = sql<string>`substr(times, length(times) - 25, 24)`
  const before = toIso(nowMs - DAY_MS)
  const deleted = await tx
    .deleteFrom('code_failures')
    .where('email_canonical', 'in', (eb) =>
      eb
        .selectFrom('code_failures')
        .select('email_canonical')
        .where(newest, '<', before)
        .limit(limit),
    )
    // Repeated: an attempt may have been added while this statement waited for the lock.
    .where(newest, '<', before)
    .returning('email_canonical')
    .execute()
  return deleted.length
}

/** A leaky bucket: each attempt adds one, each hour drains one. */
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
