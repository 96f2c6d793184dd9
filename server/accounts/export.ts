import type { Db } from '../database/connect.ts'
import { USER_COLUMNS } from './users.ts'

/** Limit per list, which keeps a response under a megabyte. */
export const ROWS_MAX = 1000

interface Owner {
  readonly id: number
  readonly email_canonical: string
}

/** The exported columns of lists by user. Excludes hashes, key ids and the ids of mailed links. */
const LISTS = {
  sign_ups: 'id email full_name ip user_agent locale created_at expires_at',
  sessions:
    'id generation rotated_at created_at expires_at ends_at last_seen_at user_agent ip login_network login_user_agent authenticated_at revoked_at',
  phone_changes: 'phone created_at expires_at',
  email_changes:
    'email email_canonical old_email old_email_canonical created_at expires_at confirmed_at undo_until undone_at',
  password_resets: 'created_at expires_at used_at',
} as const

/**
 * Every row about a user in every table, newest first, at most `ROWS_MAX` per list, and the names of the
 * truncated lists.
 */
export async function findPersonalData(db: Db, owner: Owner) {
  const lists = {
    sign_ups: await findRows(db, 'sign_ups', owner),
    sessions: await findRows(db, 'sessions', owner),
    phone_changes: await findRows(db, 'phone_changes', owner),
    email_changes: await findRows(db, 'email_changes', owner),
    password_resets: await findRows(db, 'password_resets', owner),
    code_failures: await findCodeFailures(db, owner),
    messages: newest(await findMessages(db, owner), ({ created_at: at, id }) => at + id),
    events: newest(await findEvents(db, owner), ({ id }) => id).map((row) => toEvent(row, owner)),
  }
  const truncated: string[] = []
  for (const [name, rows] of Object.entries(lists)) {
    if (rows.length > ROWS_MAX) truncated.push(name)
    rows.splice(ROWS_MAX)
  }
  return { ...lists, user: await findUser(db, owner), truncated }
}

function findUser(db: Db, { id }: Owner) {
  return db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .select((eb) => eb('password_hash', 'is not', null).as('has_password'))
    .where('id', '=', id)
    .executeTakeFirst()
}

async function findRows(
  db: Db,
  table: keyof typeof LISTS,
  { id }: Owner,
): Promise<Record<string, unknown>[]> {
  // Kysely cannot type the columns of several tables at once.
  const rows = db.selectFrom(table as 'sessions').select(LISTS[table].split(' ') as ['id'])
  return rows
    .where('user_id', '=', id)
    .orderBy('created_at', 'desc')
    .limit(ROWS_MAX + 1)
    .execute()
}

async function findCodeFailures(db: Db, { email_canonical: email }: Owner) {
  const rows = await db
    .selectFrom('code_failures')
    .select(['email_canonical', 'purpose', 'times'])
    .where('email_canonical', '=', email)
    .limit(ROWS_MAX + 1)
    .execute()
  return rows.map((row) => ({ ...row, times: JSON.parse(row.times) as string[] }))
}

/**
 * By user id, and by address for messages without a user id: those of a former owner of the address are
 * excluded. Two queries, each with its own index: an `or` would use neither.
 */
async function findMessages(db: Db, { id, email_canonical: email }: Owner) {
  const messages = db
    .selectFrom('outbox')
    .select(['id', 'kind', 'channel', 'state', 'email_canonical', 'recipient', 'created_at'])
    .select(['due_at', 'finished_at', 'last_error'])
    .orderBy('created_at', 'desc')
    .limit(ROWS_MAX + 1)
  const rows = [
    ...(await messages.where('user_id', '=', id).execute()),
    ...(await messages.where('email_canonical', '=', email).where('user_id', 'is', null).execute()),
  ]
  // Rows of a limit hold a pseudonym instead of an address.
  return rows.map((row) =>
    row.email_canonical?.includes('@') ? row : { ...row, email_canonical: null },
  )
}

async function findEvents(db: Db, { id }: Owner) {
  const events = db
    .selectFrom('audit_events')
    .select(['id', 'at', 'event', 'actor_id', 'subject_id', 'changes', 'ip', 'request_id'])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(ROWS_MAX + 1)
  return [
    ...(await events.where('subject_id', '=', id).execute()),
    ...(await events.where('actor_id', '=', id).execute()),
  ]
}

/** Omits the IP of other actors and the changes to other users: these are personal data of theirs. */
function toEvent(
  { actor_id, subject_id, ...row }: Awaited<ReturnType<typeof findEvents>>[number],
  owner: Owner,
) {
  const relationOf = (id: number | null) => {
    if (id === null) return 'nobody' as const
    return id === owner.id ? ('me' as const) : ('another' as const)
  }
  const [actor, subject] = [relationOf(actor_id), relationOf(subject_id)]
  const showsOrigin = actor !== 'another'
  return {
    ...row,
    actor,
    subject,
    changes: subject === 'another' ? null : (JSON.parse(row.changes) as Record<string, unknown>),
    ip: showsOrigin ? row.ip : null,
    request_id: showsOrigin ? row.request_id : null,
  }
}

/** Without duplicates, newest first. */
function newest<Row extends { readonly id: string | number }>(
  rows: readonly Row[],
  keyOf: (row: Row) => string | number,
): Row[] {
  const unique = [...new Map(rows.map((row) => [row.id, row])).values()]
  return unique.toSorted((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1))
}
