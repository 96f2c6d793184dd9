import { type AuditRow, findEventsOf } from '../audit/events.ts'
import type { Db } from '../database/connect.ts'
import { findMessagesOf, mailKeyOf } from '../outbox/mails.ts'
import { USER_COLUMNS } from './users.ts'

/** Rows per read: short enough for the event loop and for the budget of a request. */
const PAGE = 500

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
  invitations: 'created_at',
  password_resets: 'created_at expires_at used_at',
} as const

type Row = Record<string, unknown>
type Pages = AsyncGenerator<readonly Row[]>

/**
 * Every row about a user in every table, newest first: one list after the other, in pages. Each page is
 * read when it is asked for, so that a slow client holds no connection. `read` runs one query.
 */
export function findPersonalData(
  owner: Owner,
  read: <Result>(find: (db: Db) => Promise<Result>) => Promise<Result>,
): Readonly<Record<string, Pages>> {
  const rowsOf = (table: keyof typeof LISTS) =>
    pagesOf(
      (after?: TimeKey) => read((db) => findRows(db, table, { owner, after })),
      // Links and codes are derived from the ids of other tables.
      ({ id, ...row }) => (LISTS[table].startsWith('id ') ? { id, ...row } : row),
    )
  return {
    sign_ups: rowsOf('sign_ups'),
    sessions: rowsOf('sessions'),
    phone_changes: rowsOf('phone_changes'),
    email_changes: rowsOf('email_changes'),
    password_resets: rowsOf('password_resets'),
    invitations: rowsOf('invitations'),
    code_failures: once(() => read((db) => findCodeFailures(db, owner))),
    messages: pagesOf(
      (after?: Message) =>
        read((db) => findMessagesOf(db, owner, { limit: PAGE, after: after && mailKeyOf(after) })),
      toMessage,
    ),
    events: pagesOf(
      (before?: AuditRow) => read((db) => findEventsOf(db, owner.id, { limit: PAGE, before })),
      (row) => toEvent(row, owner),
    ),
  }
}

export function findExportedUser(db: Db, { id }: Pick<Owner, 'id'>) {
  return db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .select((eb) => eb('password_hash', 'is not', null).as('has_password'))
    .where('id', '=', id)
    .executeTakeFirst()
}

async function* pagesOf<Found extends { readonly id: string | number }>(
  find: (after: Found | undefined) => Promise<Found[]>,
  toRow: (found: Found) => Row,
): Pages {
  for (let after: Found | undefined; ;) {
    const page = await find(after)
    if (page.length > 0) yield page.map(toRow)
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}

async function* once(find: () => Promise<readonly Row[]>): Pages {
  const rows = await find()
  if (rows.length > 0) yield rows
}

interface TimeKey {
  readonly id: string
  readonly created_at: string
}

function findRows(
  db: Db,
  table: keyof typeof LISTS,
  { owner, after }: { owner: Owner; after: TimeKey | undefined },
): Promise<(Row & TimeKey)[]> {
  // Kysely cannot type the columns of several tables at once.
  const columns = ['id', ...LISTS[table].replace(/^id /, '').split(' ')] as ['id', 'created_at']
  let rows = db.selectFrom(table as 'sessions').select(columns)
  if (after !== undefined) {
    rows = rows.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(after.created_at, after.id)),
    )
  }
  return rows
    .where('user_id', '=', owner.id)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(PAGE)
    .execute()
}

/** At most one row per purpose. */
async function findCodeFailures(db: Db, { email_canonical: email }: Owner): Promise<Row[]> {
  const rows = await db
    .selectFrom('code_failures')
    .select(['email_canonical', 'purpose', 'times'])
    .where('email_canonical', '=', email)
    .execute()
  return rows.map((row) => ({ ...row, times: JSON.parse(row.times) as string[] }))
}

type Message = Awaited<ReturnType<typeof findMessagesOf>>[number]

/** Rows of a limit hold a pseudonym instead of an address. How often delivery was tried is left out. */
function toMessage(message: Message): Row {
  const { user_id: _, claims: __, refusals: ___, ...row } = message
  return row.email_canonical?.includes('@') ? row : { ...row, email_canonical: null }
}

/** Omits the IP of other actors and the changes to other users: these are personal data of theirs. */
function toEvent({ actor_id, subject_id, ...row }: AuditRow, owner: Owner) {
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
