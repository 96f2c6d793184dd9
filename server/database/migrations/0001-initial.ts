import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`
  const number = dialect === 'postgres' ? sql`bigint` : sql`integer`
  // Without AUTOINCREMENT SQLite reuses the highest deleted id, for which tokens may still be valid.
  const id =
    dialect === 'postgres'
      ? sql`bigint generated always as identity primary key`
      : sql`integer primary key autoincrement`

  await sql`
    create table users (
      id ${id},
      email text not null,
      email_canonical text not null unique,
      full_name text,
      password_hash text,
      role text not null check (role in ('user', 'admin')),
      verified_at ${time},
      disabled_at ${time},
      password_changed_at ${time},
      created_at ${time} not null,
      updated_at ${time} not null,
      check (verified_at is null or password_hash is not null)
    )`.execute(db)
  await sql`create index users_created_at on users (created_at, id)`.execute(db)
  await sql`create index users_admins on users (id) where role = 'admin'`.execute(db)

  await sql`
    create table sign_ups (
      id text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      email text not null,
      full_name text,
      password_hash text not null,
      key_id text not null,
      ip text,
      user_agent text,
      created_at ${time} not null,
      expires_at ${time} not null
    )`.execute(db)
  await sql`create index sign_ups_user on sign_ups (user_id)`.execute(db)

  await sql`
    create table code_failures (
      email_canonical text not null,
      purpose text not null,
      times text not null,
      primary key (email_canonical, purpose)
    )`.execute(db)

  await sql`
    create table sessions (
      id text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      generation integer not null,
      rotated_at ${time},
      created_at ${time} not null,
      expires_at ${time} not null,
      ends_at ${time} not null,
      last_seen_at ${time} not null,
      user_agent text,
      ip text,
      revoked_at ${time}
    )`.execute(db)
  await sql`create index sessions_user on sessions (user_id)`.execute(db)

  await sql`
    create table outbox (
      id text primary key,
      kind text not null,
      email_canonical text,
      payload text not null,
      created_at ${time} not null,
      due_at ${time} not null,
      claimed_until ${time},
      claims integer not null,
      finished_at ${time}
    )`.execute(db)
  await sql`create index outbox_due on outbox (due_at) where finished_at is null`.execute(db)
  await sql`
    create index outbox_address on outbox (email_canonical, kind, created_at)
      where email_canonical is not null`.execute(db)
}
