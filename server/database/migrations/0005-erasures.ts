import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`
  const number = dialect === 'postgres' ? sql`bigint` : sql`integer`
  const id =
    dialect === 'postgres'
      ? sql`bigint generated always as identity primary key`
      : sql`integer primary key autoincrement`

  // Supersedes audit_leftovers, which processes of the previous version still use during an upgrade;
  // a later migration drops it.
  await sql`
    create table erasures (
      id ${id},
      user_id ${number},
      email_canonical text,
      heir_id ${number},
      created_at ${time} not null
    )`.execute(db)
  await sql`create index erasures_user on erasures (user_id)`.execute(db)

  // The cascade of this foreign key deleted all sessions of a user in one statement of a request.
  if (dialect === 'postgres')
    await sql`alter table sessions drop constraint sessions_user_id_fkey`.execute(db)
  else await rebuildSessions(db)
  await sql`create index sessions_user on sessions (user_id, created_at, id)`.execute(db)
  // By expiry, so that the end of all sessions of a user reads the live ones only.
  await sql`drop index if exists sessions_unrevoked`.execute(db)
  await sql`
    create index sessions_unrevoked on sessions (user_id, expires_at)
    where revoked_at is null`.execute(db)

  await sql`drop index outbox_user`.execute(db)
  await sql`
    create index outbox_user on outbox (user_id, created_at, id) where user_id is not null`.execute(
    db,
  )
  await sql`
    create index outbox_userless on outbox (email_canonical, created_at, id)
    where user_id is null and email_canonical is not null`.execute(db)
  await sql`
    create index outbox_texts on outbox (user_id) where channel = 'sms' and user_id is not null`.execute(
    db,
  )

  // The id makes an ordered read of one user cheaper than a scan of the table, even for a planner that
  // expects most rows to be that user's.
  await sql`drop index audit_events_unblanked`.execute(db)
  await sql`
    create index audit_events_unblanked on audit_events (coalesce(actor_id, subject_id), id)
    where ip is not null`.execute(db)
}

/** SQLite cannot drop a constraint. */
async function rebuildSessions(db: Kysely<any>): Promise<void> {
  await sql`
    create table sessions_rebuilt (
      id text primary key,
      user_id integer not null,
      generation integer not null,
      rotated_at text,
      created_at text not null,
      expires_at text not null,
      ends_at text not null,
      last_seen_at text not null,
      user_agent text,
      ip text,
      revoked_at text,
      login_network text,
      login_user_agent text
    )`.execute(db)
  await sql`insert into sessions_rebuilt select id, user_id, generation, rotated_at, created_at, expires_at,
    ends_at, last_seen_at, user_agent, ip, revoked_at, login_network, login_user_agent from sessions`.execute(
    db,
  )
  await sql`drop table sessions`.execute(db)
  await sql`alter table sessions_rebuilt rename to sessions`.execute(db)
  await sql`create index sessions_expires on sessions (expires_at)`.execute(db)
  await sql`
    create index sessions_device on sessions (user_id, login_user_agent, created_at)`.execute(db)
  await sql`
    create index sessions_network on sessions (user_id, login_network, created_at)`.execute(db)
}
