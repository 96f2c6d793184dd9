import { type Kysely, sql } from 'kysely'

/**
 * Two indexes for three filters: a list by kind alone merges the five states. Each costs every message an
 * entry, and another one at each change of its state.
 */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`create index outbox_state on outbox (state, created_at, id)`.execute(db)
  await sql`create index outbox_kind on outbox (kind, state, created_at, id)`.execute(db)
}
