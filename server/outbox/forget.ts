import type { Expression, ExpressionBuilder, SqlBool, UpdateObject } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { Schema } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import type { KindName } from './kind.ts'
import { BLANK, UNENDED } from './outbox.ts'

/** The messages of accounts: those with a user id, and those without one to an address. */
export interface MessagesOf {
  readonly userIds: readonly number[]
  readonly emails: readonly string[]
  /** Later messages to the addresses belong to a later owner. */
  readonly createdUntil?: string
}

/** Messages that count towards the limit of their address even after the account is deleted. */
export interface Counted {
  readonly kinds: readonly KindName[]
  readonly sinceMs: number
}

type Outbox = ExpressionBuilder<Schema, 'outbox'>

/**
 * Blanks at most `limit` messages by user id and as many by address, and drops those that wait or have
 * failed; true when none is left. The rows stay, so that hourly counts stay correct: `counted` messages
 * keep their address, and others an HMAC of one, until `forgetStrangers`.
 */
export async function forgetMessages(
  tx: Tx,
  messages: MessagesOf,
  { nowMs, limit, counted }: { nowMs: number; limit: number; counted?: Counted | undefined },
): Promise<boolean> {
  const isCounted = (eb: Outbox) =>
    counted === undefined || messages.emails.length === 0
      ? eb.lit(false)
      : eb.and([
          eb('kind', 'in', counted.kinds),
          eb('email_canonical', 'in', messages.emails),
          eb('created_at', '>', toIso(counted.sinceMs)),
        ])
  // A counted message keeps the address and would be found again.
  const isUnfinished = (eb: Outbox) =>
    eb.or([
      eb.not(isCounted(eb)),
      eb('state', 'in', UNENDED),
      eb('recipient', 'is not', null),
      eb('payload', '!=', BLANK.payload),
    ])
  return updateEach(tx, messages, { limit, isUnfinished }, (eb) => ({
    ...BLANK,
    user_id: null,
    claimed_until: null,
    finished_at: eb.fn.coalesce('finished_at', eb.val(toIso(nowMs))),
    state: eb
      .case()
      .when('state', 'in', UNENDED)
      .then('dropped' as const)
      .else(eb.ref('state'))
      .end(),
    email_canonical: eb
      .case()
      // An HMAC of an address has no @ and needs no blanking.
      .when(eb.or([isCounted(eb), eb('email_canonical', 'not like', '%@%')]))
      .then(eb.ref('email_canonical'))
      .else(null)
      .end(),
  }))
}

/** Assigns at most `limit` messages by user id and as many by address to a user; true when none is left. */
export function handOverMessages(
  tx: Tx,
  messages: MessagesOf,
  { heirId, limit }: { heirId: number; limit: number },
): Promise<boolean> {
  return updateEach(tx, messages, { limit }, () => ({ user_id: heirId }))
}

/** Those of the messages that belong to a deleted account whose erasure has not reached them yet. */
export async function findErased(db: Db, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('outbox')
    .select('id')
    .where('id', 'in', ids)
    .where(isBeingErased)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

export function isBeingErased(eb: Outbox) {
  const erasures = eb
    .selectFrom('erasures')
    .select('erasures.id')
    .where('heir_id', 'is', null)
    .where((on) =>
      on.or([
        on('erasures.user_id', '=', on.ref('outbox.user_id')),
        on.and([
          on('outbox.user_id', 'is', null),
          on('erasures.email_canonical', '=', on.ref('outbox.email_canonical')),
          on('erasures.created_at', '>=', on.ref('outbox.created_at')),
        ]),
      ]),
    )
  return eb.exists(erasures)
}

/** Half: a batch is not full either when others delete some of its rows while it waits for their locks. */
export function isLast(count: number | bigint, limit: number): boolean {
  return Number(count) < limit / 2
}

async function updateEach(
  tx: Tx,
  { userIds, emails, createdUntil }: MessagesOf,
  { limit, isUnfinished }: { limit: number; isUnfinished?: (eb: Outbox) => Expression<SqlBool> },
  values: (eb: Outbox) => UpdateObject<Schema, 'outbox'>,
): Promise<boolean> {
  const found = tx.selectFrom('outbox').select('id').limit(limit)
  const update = async (ids: typeof found) => {
    const { numUpdatedRows } = await tx
      .updateTable('outbox')
      .set(values)
      .where('id', 'in', ids)
      .executeTakeFirst()
    return isLast(numUpdatedRows, limit)
  }
  // The orders make PostgreSQL read an index: it would expect an early match in a scan of the table.
  const own = found.where('user_id', 'in', userIds).orderBy('user_id').orderBy('created_at')
  const isDone = userIds.length === 0 || (await update(own))
  if (emails.length === 0) return isDone
  let addressed = found
    .orderBy('email_canonical')
    .orderBy('created_at')
    // By address only without a user id: a former owner of the address keeps their own messages.
    .where('user_id', 'is', null)
    .where('email_canonical', 'in', emails)
  if (isUnfinished !== undefined) addressed = addressed.where(isUnfinished)
  if (createdUntil !== undefined) addressed = addressed.where('created_at', '<=', createdUntil)
  return (await update(addressed)) && isDone
}
