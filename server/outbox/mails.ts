import { type Selectable, sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import type { OutboxState, OutboxTable } from '../database/schema.ts'

export const MAIL_STATES = [
  'waiting',
  'sent',
  'dropped',
  'bounced',
  'dead',
] as const satisfies readonly OutboxState[]

/** Never the payload: what a message says is made for each try, and is nobody else's business. */
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

/** Where a row stands in the list. */
export interface MailKey {
  readonly createdAt: string
  readonly id: string
}

/** At most `limit` messages, the newest first, after the row of `after`. */
export function findMails(
  db: Db,
  { state, kind }: MailFilters,
  { limit, after }: { limit: number; after: MailKey | undefined },
): Promise<MailRow[]> {
  let query = db.selectFrom('outbox').select(COLUMNS)
  if (state !== undefined) query = query.where('state', '=', state)
  // Written out: SQLite takes the index only for the condition that it was made with.
  if (state === 'dead' || state === 'bounced')
    query = query.where(sql<boolean>`state in ('dead', 'bounced')`)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(after.createdAt, after.id)),
    )
  }
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export function mailKeyOf(mail: MailRow): MailKey {
  return { createdAt: mail.created_at, id: mail.id }
}

export function findMail(db: Db, id: string): Promise<MailRow | undefined> {
  return db.selectFrom('outbox').select(COLUMNS).where('id', '=', id).executeTakeFirst()
}
