import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`

  await sql`
    create table keys_in_use (
      purpose text primary key,
      key_id text not null,
      former_key_id text,
      seen_at ${time} not null
    )`.execute(db)
}
