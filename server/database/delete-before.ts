import { sql } from 'kysely'
import type { Tx } from './connect.ts'
import type { Schema } from './schema.ts'

/**
 * Deletes at most `limit` rows whose time in `column` is before a time, oldest first; returns their
 * number. The outer condition is repeated, because a row may change while the statement waits for its lock.
 */
export async function deleteBefore<Table extends keyof Schema>(
  tx: Tx,
  [table, column]: readonly [table: Table, column: keyof Schema[Table] & string],
  { before, limit }: { before: string; limit: number },
): Promise<number> {
  const isOld = sql`${sql.ref(column)} < ${before}`
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where ${isOld} and id in (
      select id from ${sql.table(table)} where ${isOld} order by ${sql.ref(column)} limit ${limit}
    )`.execute(tx)
  return Number(numAffectedRows ?? 0)
}
