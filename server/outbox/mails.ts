import { type Selectable, sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Db } from '../database/connect.ts'
import type { OutboxState, OutboxTable } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import type { Cause } from '../http/client.ts'
import type { OutboxPayloads } from './outbox.ts'
import { reviveMessage } from './outcomes.ts'
import { commit, NO_CAUSE } from './write.ts'

export const MAIL_STATES = [
  'waiting',
  'sent',
  'dropped',
  'bounced',
  'dead',
] as const satisfies readonly OutboxState[]

/** In the order of an account's life; a kind that is missing does not compile. */
const KINDS = {
  verification: true,
  verification_again: true,
  repeat_verification: true,
  already_registered: true,
  reminder: true,
  new_device: true,
  session_replayed: true,
  password_reset: true,
  password_changed: true,
  password_changed_left: true,
  email_code: true,
  email_changed: true,
  email_confirmed: true,
  email_undone: true,
  phone_code: true,
  account_deleted: true,
} as const satisfies Record<keyof OutboxPayloads, true>
export const MAIL_KINDS = Object.keys(KINDS) as readonly (keyof OutboxPayloads)[]

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

/**
 * Lets a message that failed wait again, due now, and records who did that; returns it as it is then.
 * Throws `not_found`, `mail_not_failed`.
 */
export async function resendMail(
  ctx: Context,
  id: string,
  cause: Partial<Cause> = NO_CAUSE,
): Promise<MailRow> {
  const mail = await commit(ctx, cause, async ({ tx, nowMs, record }) => {
    const revived = await reviveMessage(tx, id, nowMs)
    const found = await findMail(tx, id)
    if (found === undefined) throw new AppError('not_found')
    if (!revived) throw new AppError('mail_not_failed')
    const changes = { mail_id: id, kind: found.kind }
    const { user_id: subjectId } = found
    await record('mail.resent', { changes, ...(subjectId !== null && { subjectId }) })
    return found
  })
  ctx.wakeMail()
  return mail
}
