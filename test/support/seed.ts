import type { Context } from '../../server/context.ts'
import type { Schema } from '../../server/database/schema.ts'
import { toIso } from '../../server/lib/units.ts'

let seeded = 0

/** More users than could sign up in a test; returns their addresses. A hash of theirs fits no password. */
export async function seedUsers(
  ctx: Context,
  count: number,
  { createdAtMs, verified = false }: { createdAtMs: number; verified?: boolean },
): Promise<string[]> {
  const at = toIso(createdAtMs)
  const emails = Array.from({ length: count }, () => `seeded${++seeded}@example.com`)
  for (let start = 0; start < count; start += 500) {
    const users = emails.slice(start, start + 500).map((email) => ({
      email,
      email_canonical: email,
      role: 'user' as const,
      created_at: at,
      updated_at: at,
      ...(verified ? { verified_at: at, password_hash: 'none' } : {}),
    }))
    await ctx.transaction((tx) => tx.insertInto('users').values(users).execute())
  }
  return emails
}

/** Every row of a table. */
export function rowsOf({ db }: Context, table: keyof Schema): Promise<any[]> {
  return db.selectFrom(table).selectAll().execute()
}
