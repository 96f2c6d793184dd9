import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`
  const number = dialect === 'postgres' ? sql`bigint` : sql`integer`

  await sql`
    create table invitations (
      id text primary key,
      user_id ${number} not null unique references users (id) on delete cascade,
      key_id text not null,
      created_at ${time} not null
    )`.execute(db)
  // Not the role itself: a process of the previous version would give it to whoever verifies the address.
  // Last, because these lock all reads on PostgreSQL; without a check, which would read all users meanwhile.
  await sql`alter table users add column invited_role text`.execute(db)
  await sql`alter table users add column invited_until ${time}`.execute(db)
}
