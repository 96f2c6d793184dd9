import { type RawBuilder, sql } from 'kysely'
import type { Context } from '../../server/context.ts'
import type { Schema } from '../../server/database/schema.ts'
import { newId } from '../../server/lib/random.ts'
import { HOUR_MS, toIso } from '../../server/lib/units.ts'
import { createDatabase, dropDatabase } from './cluster.ts'
import { TEMPLATE } from './database.ts'
import { type Service, startService } from './service.ts'

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

interface Seeded {
  readonly userId: number
  readonly count: number
  readonly ip?: string
}

/**
 * Mails of one user that were sent, half of them without the user id, made by the database: sending so
 * many would take a test hours.
 */
export async function seedMessages(
  ctx: Context,
  { userId, email, count }: Seeded & { readonly email: string },
): Promise<void> {
  await seedRows(
    ctx,
    count,
    ({ at, prefix, numbers }) =>
      sql`insert into outbox (id, kind, channel, state, email_canonical, user_id, recipient, payload,
        created_at, due_at, finished_at, claims)
      select ${prefix} || n, 'password_changed', 'mail', 'sent', ${email},
        case when n % 2 > 0 then cast(${userId} as bigint) end, ${email}, '{}', ${at}, ${at}, ${at}, 1
      from (${numbers}) as numbers`,
  )
}

/** Events that one user caused. */
export async function seedEvents(
  ctx: Context,
  { userId, count, ip = '203.0.113.7' }: Seeded,
): Promise<void> {
  await seedRows(
    ctx,
    count,
    ({ at, numbers }) =>
      sql`insert into audit_events (at, event, actor_id, subject_id, changes, ip)
      select ${at}, 'user.changed', cast(${userId} as bigint), cast(${userId} as bigint), '{}', ${ip}
      from (${numbers}) as numbers`,
  )
}

/** Sessions of one user that were ended. */
export async function seedSessions(
  ctx: Context,
  { userId, count, ip = '203.0.113.7' }: Seeded,
): Promise<void> {
  await seedRows(
    ctx,
    count,
    ({ at, prefix, numbers }) =>
      sql`insert into sessions (id, user_id, generation, created_at, expires_at, ends_at, last_seen_at,
        user_agent, ip, login_network, login_user_agent, revoked_at)
      select ${prefix} || n, cast(${userId} as bigint), 0, ${at}, ${at}, ${at}, ${at}, 'seeded', ${ip},
        ${ip}, 'seeded', ${at}
      from (${numbers}) as numbers`,
  )
}

interface SeededRows {
  readonly at: string
  /** Of ids, unique to the statement. */
  readonly prefix: string
  readonly numbers: RawBuilder<unknown>
}

/** In three times of a third each: rows of one time must be told apart by their ids, too. */
async function seedRows(
  { transaction, now }: Context,
  count: number,
  insert: (rows: SeededRows) => RawBuilder<unknown>,
): Promise<void> {
  for (const third of [0, 1, 2]) {
    const rows = Math.floor((count + third) / 3)
    const numbers = sql`with recursive numbers(n) as (
      select 1 union all select n + 1 from numbers where n < ${rows}) select n from numbers`
    // Not in the last hour, of which the mails count.
    const at = toIso(now() - 2 * HOUR_MS + third)
    await transaction((tx) => insert({ at, prefix: `${newId()}-`, numbers }).execute(tx))
  }
}

/** Every row of a table. */
export function rowsOf({ db }: Context, table: keyof Schema): Promise<any[]> {
  return db.selectFrom(table).selectAll().execute()
}

/** A service on a database of the given kind, whichever the run is about; for slow tests. */
export async function startOn(
  database: 'sqlite' | 'postgres',
  settings: Record<string, string> = {},
): Promise<Service> {
  const options = { nowMs: Date.now() }
  if (database === 'sqlite') return startService(settings, options)
  const server = process.env['TEST_POSTGRES_URL'] ?? ''
  const name = `seeded_${newId().replaceAll('-', '')}`
  const url = await createDatabase(server, name, TEMPLATE)
  const service = await startService({ ...settings, DATABASE_URL: url }, options)
  return {
    ...service,
    databaseUrl: url,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await dropDatabase(server, name)
    },
  }
}
