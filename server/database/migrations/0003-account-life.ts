import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`
  const number = dialect === 'postgres' ? sql`bigint` : sql`integer`

  await sql`
    create table password_resets (
      id text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      key_id text not null,
      created_at ${time} not null,
      expires_at ${time} not null,
      used_at ${time}
    )`.execute(db)
  await sql`create index password_resets_user on password_resets (user_id, created_at)`.execute(db)
  await sql`create index password_resets_expires on password_resets (expires_at)`.execute(db)

  await sql`
    create table email_changes (
      id text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      email text not null,
      email_canonical text not null,
      old_email text not null,
      old_email_canonical text not null,
      key_id text not null,
      created_at ${time} not null,
      expires_at ${time} not null,
      confirmed_at ${time},
      undo_until ${time},
      undone_at ${time}
    )`.execute(db)
  await sql`create index email_changes_user on email_changes (user_id, created_at)`.execute(db)
  await sql`
    create index email_changes_reserved on email_changes (old_email_canonical)
    where confirmed_at is not null and undone_at is null`.execute(db)
  await sql`create index email_changes_expires on email_changes (expires_at)`.execute(db)

  // Recorded at login; `ip` and `user_agent` change with each refresh.
  await sql`alter table sessions add column login_network text`.execute(db)
  await sql`alter table sessions add column login_user_agent text`.execute(db)
  // Approximate for open sessions; without it every next login would count as a new device. An ip
  // without a colon is IPv4 and is its own network.
  await sql`
    update sessions set login_user_agent = user_agent,
      login_network = case when ip not like '%:%' then ip end`.execute(db)
  // One index per query: a hundred thousand logins of one user must not slow down the next.
  await sql`drop index sessions_user`.execute(db)
  await sql`
    create index sessions_device on sessions (user_id, login_user_agent, created_at)`.execute(db)
  await sql`
    create index sessions_network on sessions (user_id, login_network, created_at)`.execute(db)
  await sql`
    create index sessions_unrevoked on sessions (user_id, created_at)
    where revoked_at is null`.execute(db)

  await sql`
    create index audit_events_subject on audit_events (subject_id, at, id)
    where subject_id is not null`.execute(db)
  await sql`
    create index audit_events_actor on audit_events (actor_id, at, id)
    where actor_id is not null`.execute(db)
  await sql`create index audit_events_event on audit_events (event, at, id)`.execute(db)
  await sql`drop index audit_events_at`.execute(db)
  await sql`create index audit_events_at on audit_events (at, id)`.execute(db)
  await sql`
    create index audit_events_unblanked on audit_events (coalesce(actor_id, subject_id))
    where ip is not null`.execute(db)
  // Deleted users whose IP addresses did not fit into one batch of blanking.
  await sql`create table audit_leftovers (user_id ${number} primary key)`.execute(db)
}
