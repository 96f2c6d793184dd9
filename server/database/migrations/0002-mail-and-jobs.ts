import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`
  const number = dialect === 'postgres' ? sql`bigint` : sql`integer`
  const id =
    dialect === 'postgres'
      ? sql`bigint generated always as identity primary key`
      : sql`integer primary key autoincrement`

  await sql`alter table users add column locale text`.execute(db)
  await sql`alter table users add column phone text`.execute(db)
  await sql`alter table users add column phone_verified_at ${time}`.execute(db)
  await sql`
    create index users_unverified on users (created_at) where verified_at is null`.execute(db)
  await sql`alter table sign_ups add column locale text`.execute(db)

  await sql`alter table outbox add column channel text not null default 'mail'`.execute(db)
  await sql`alter table outbox add column state text not null default 'waiting'`.execute(db)
  await sql`alter table outbox add column recipient text`.execute(db)
  await sql`alter table outbox add column user_id ${number}`.execute(db)
  await sql`alter table outbox add column refusals integer not null default 0`.execute(db)
  await sql`alter table outbox add column crashes integer not null default 0`.execute(db)
  await sql`alter table outbox add column unconfirmed integer not null default 0`.execute(db)
  await sql`alter table outbox add column bugs integer not null default 0`.execute(db)
  await sql`alter table outbox add column first_failed_at ${time}`.execute(db)
  await sql`alter table outbox add column last_error text`.execute(db)
  await sql`update outbox set state = 'sent' where finished_at is not null`.execute(db)
  await sql`create index outbox_finished on outbox (finished_at) where finished_at is not null`.execute(
    db,
  )
  await sql`drop index outbox_due`.execute(db)
  await sql`
    create index outbox_waiting on outbox (channel, due_at) where finished_at is null`.execute(db)
  await sql`
    create index outbox_failed on outbox (created_at, id)
    where state in ('dead', 'bounced')`.execute(db)
  await sql`create index outbox_user on outbox (user_id) where user_id is not null`.execute(db)
  await sql`
    create index outbox_strangers on outbox (created_at)
    where user_id is null and recipient is null and email_canonical is not null
    and finished_at is not null`.execute(db)
  await sql`create index outbox_created on outbox (created_at, id)`.execute(db)

  await sql`create index sessions_expires on sessions (expires_at)`.execute(db)
  await sql`create index sign_ups_expires on sign_ups (expires_at)`.execute(db)

  await sql`
    create table phone_changes (
      id text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      phone text not null,
      key_id text not null,
      created_at ${time} not null,
      expires_at ${time} not null
    )`.execute(db)
  await sql`create unique index phone_changes_user on phone_changes (user_id)`.execute(db)

  await sql`
    create table job_runs (
      name text not null,
      slot ${time} not null,
      holder text,
      lease_until ${time} not null,
      finished_at ${time},
      counts text,
      primary key (name, slot)
    )`.execute(db)
  await sql`
    create unique index job_runs_held on job_runs (name) where holder is not null`.execute(db)

  await sql`
    create table audit_events (
      id ${id},
      at ${time} not null,
      event text not null,
      actor_id ${number},
      subject_id ${number},
      changes text not null,
      ip text,
      request_id text
    )`.execute(db)
  await sql`create index audit_events_at on audit_events (at)`.execute(db)
}
