import { type Selectable, sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import type { OutboxState, OutboxTable } from '../database/schema.ts'
import { findErased } from './forget.ts'

export const MAIL_STATES = [
  'waiting',
  'sent',
  'dropped',
  'bounced',
  'dead',
] as const satisfies readonly OutboxState[]

/** Without the payload, which is private to the recipient. */
const COLUMNS = [
  'id',
  'kind',
  'channel',
  'state',
  'recipient',
  'user_id',
  'created_at',
  'due_at',
  'finished_at',
  'claims',
  'refusals',
  'last_error',
] as const satisfies readonly (keyof OutboxTable)[]
export type MailRow = Pick<Selectable<OutboxTable>, (typeof COLUMNS)[number]>

export interface MailFilters {
  readonly state?: OutboxState | undefined
  readonly kind?: string | undefined
}

/** The sort key of a row. */
export interface MailKey {
  readonly createdAt: string
  readonly id: string
}

/** At most `limit` messages after `after`, newest first. Each filter has an index in this order. */
export async function findMails(
  db: Db,
  { state, kind }: MailFilters,
  { limit, after }: { limit: number; after: MailKey | undefined },
): Promise<MailRow[]> {
  let query = db.selectFrom('outbox').select(COLUMNS)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(after.createdAt, after.id)),
    )
  }
  const pageOf = (of: typeof query) =>
    of.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(sql.lit(limit))
  const inState = (one: OutboxState) => pageOf(query.where('state', '=', one))
  if (state !== undefined) return masked(db, await inState(state).execute())
  if (kind === undefined) return masked(db, await pageOf(query).execute())
  // In its index, the states of a kind are apart.
  const pages = MAIL_STATES.map((one) => sql`select * from (${inState(one)}) as page`)
  const all = sql<MailRow>`(${sql.join(pages, sql` union all `)})`.as('outbox')
  return masked(db, await pageOf(db.selectFrom(all).select(COLUMNS)).execute())
}

/** Counts the messages in a state, up to `max`. */
export async function countMailsIn(db: Db, state: OutboxState, max: number): Promise<number> {
  const { count } = await db
    // In the order of the index: otherwise PostgreSQL may scan the whole table.
    .selectFrom((eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('state', '=', sql.lit(state))
        .orderBy('created_at', 'desc')
        .limit(max)
        .as('first'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** As `findMails`, the messages of a user. */
export async function findMailsOf(
  db: Db,
  owner: MailOwner,
  page: Parameters<typeof findMessagesOf>[2],
): Promise<MailRow[]> {
  return masked(db, await findMessagesOf(db, owner, page))
}

interface MailOwner {
  readonly id: number
  readonly email_canonical: string
}

/**
 * By user id, and by address for messages without a user id: those of a former owner of the address are
 * excluded, and those to a former address of the user have the id. Two queries, each with its own index: an
 * `or` would use neither.
 */
export function findMessagesOf(
  db: Db,
  { id, email_canonical: email }: MailOwner,
  { limit, after }: { limit: number; after: MailKey | undefined },
): Promise<(MailRow & { email_canonical: string | null })[]> {
  let messages = db
    .selectFrom('outbox')
    .select([...COLUMNS, 'email_canonical'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(sql.lit(limit))
  if (after !== undefined) {
    messages = messages.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(after.createdAt, after.id)),
    )
  }
  const own = messages.where('user_id', '=', id)
  const addressed = messages.where('email_canonical', '=', email).where('user_id', 'is', null)
  return db
    .selectFrom(own.as('page'))
    .selectAll()
    .unionAll(db.selectFrom(addressed.as('page')).selectAll())
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(sql.lit(limit))
    .execute()
}

export function mailKeyOf(mail: Pick<MailRow, 'created_at' | 'id'>): MailKey {
  return { createdAt: mail.created_at, id: mail.id }
}

export async function findMail(db: Db, id: string): Promise<MailRow | undefined> {
  const rows = await db.selectFrom('outbox').select(COLUMNS).where('id', '=', id).execute()
  return (await masked(db, rows))[0]
}

/** Leaves out what identifies deleted users whose erasure has not reached these rows. */
async function masked(db: Db, rows: readonly MailRow[]): Promise<MailRow[]> {
  // After the rows: an erasure that began in between is applied, too.
  const erased = await findErased(
    db,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => {
    if (!erased.has(row.id)) return row
    const state = row.state === 'sent' ? row.state : ('dropped' as const)
    return { ...row, state, user_id: null, recipient: null, last_error: null }
  })
}
