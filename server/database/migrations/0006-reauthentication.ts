import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`

  // Null until the password is confirmed after the login; then the login counts.
  await sql`alter table sessions add column authenticated_at ${time}`.execute(db)
}
