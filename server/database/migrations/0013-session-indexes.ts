import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>): Promise<void> {
  // Without the expiry, which every refresh changes: those that have expired and were not revoked are
  // few until the purge deletes them.
  await sql`
    create index sessions_unrevoked_created on sessions (user_id, created_at)
    where revoked_at is null`.execute(db)
}
