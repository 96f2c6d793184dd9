import { sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import { type AccountKey, type Cutoff, hasExpired } from './users.ts'

/** Rows that one statement counts: a few milliseconds. */
const SLICE = 5000

/** A cursor: the position of an account in the order of their creation; the id breaks ties. */
export interface CreationKey {
  readonly id: number
  readonly created_at: string
}

/** Unverified accounts that have expired, oldest first; `after` is the cursor. */
export function findExpiredUsers(
  db: Db,
  { cutoff, limit, after }: { cutoff: Cutoff; limit: number; after?: CreationKey | undefined },
): Promise<(AccountKey & CreationKey)[]> {
  return expired(db, cutoff, after).select('email_canonical').limit(limit).execute()
}

/** True for a number that the table is not walked to find. */
export async function hasMoreExpiredUsers(db: Db, cutoff: Cutoff, than: number): Promise<boolean> {
  const beyond = await expired(db, cutoff).offset(than).limit(1).executeTakeFirst()
  return beyond !== undefined
}

/** Counts those that have expired, up to `max`. */
export async function countFirstExpired(db: Db, cutoff: Cutoff, max: number): Promise<number> {
  const { count } = await db
    .selectFrom(expired(db, cutoff).limit(max).as('first'))
    .select(sql<number>`count(*)`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}

export function countExpiredUsers(db: Db, cutoff: Cutoff): Promise<number> {
  return count(db, (after) => expired(db, cutoff, after))
}

export function countUsers(db: Db): Promise<number> {
  return count(db, (after) => {
    const users = db.selectFrom('users').select(['id', 'created_at']).orderBy('id')
    return after === undefined ? users : users.where('id', '>', after.id)
  })
}

function expired(db: Db, cutoff: Cutoff, after?: CreationKey) {
  const users = db
    .selectFrom('users')
    .select(['id', 'created_at'])
    .where('verified_at', 'is', null)
    .where(hasExpired(cutoff))
    .orderBy('created_at')
    .orderBy('id')
  if (after === undefined) return users
  const { created_at: at, id } = after
  return users.where(({ eb, refTuple, tuple }) =>
    eb(refTuple('created_at', 'id'), '>', tuple(at, id)),
  )
}

/** Counts slice by slice: one statement for all would exceed its time where there are many millions. */
async function count(
  db: Db,
  find: (after: CreationKey | undefined) => ReturnType<typeof expired>,
): Promise<number> {
  let after: CreationKey | undefined
  for (let sum = 0; ; sum += SLICE) {
    const last = await find(after)
      .offset(SLICE - 1)
      .limit(1)
      .executeTakeFirst()
    if (last === undefined) {
      const rest = db.selectFrom(find(after).limit(SLICE).as('rest'))
      const { count } = await rest
        .select(sql<number>`count(*)`.as('count'))
        .executeTakeFirstOrThrow()
      return sum + count
    }
    after = last
  }
}
