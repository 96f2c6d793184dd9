import type { Db } from '../database/connect.ts'
import type { AccountKey } from './users.ts'

/** Unverified accounts created at `cutoff` or before, oldest first; `after` is the cursor. */
export function findExpiredUsers(
  db: Db,
  { cutoff, limit, after }: { cutoff: string; limit: number; after?: { id: number; at: string } },
): Promise<(AccountKey & { created_at: string })[]> {
  let query = expired(db, cutoff).select(['id', 'email_canonical', 'created_at'])
  if (after !== undefined) {
    query = query.where((eb) =>
      eb.or([
        eb('created_at', '>', after.at),
        eb.and([eb('created_at', '=', after.at), eb('id', '>', after.id)]),
      ]),
    )
  }
  return query.orderBy('created_at').orderBy('id').limit(limit).execute()
}

export async function countExpiredUsers(db: Db, cutoff: string): Promise<number> {
  const { count } = await expired(db, cutoff)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

export async function countUsers(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

function expired(db: Db, cutoff: string) {
  return db.selectFrom('users').where('verified_at', 'is', null).where('created_at', '<=', cutoff)
}
