import { type Kysely, sql } from 'kysely'

/**
 * What 0012 to 0015 replace. Last, because on PostgreSQL a dropped index locks its table against all reads to
 * the end of the transaction: before the others, nobody was served while these were built.
 */
export async function up(db: Kysely<any>): Promise<void> {
  // By users_unverified_created, sessions_unrevoked_created and outbox_state.
  await sql`drop index users_unverified`.execute(db)
  await sql`drop index sessions_unrevoked`.execute(db)
  await sql`drop index outbox_failed`.execute(db)
  // By audit_events_subject and audit_events_to_others.
  await sql`drop index audit_events_unblanked`.execute(db)
  await sql`drop index audit_events_actor`.execute(db)
}
