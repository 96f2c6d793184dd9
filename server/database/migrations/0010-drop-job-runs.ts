import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const now =
    dialect === 'postgres' ? sql`current_timestamp` : sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`

  // No version since 0004 uses it.
  await sql`drop table job_runs`.execute(db)
  // Nothing fills audit_leftovers since 0005, but processes of the previous version still read it; a
  // later migration drops it.
  await sql`
    insert into erasures (user_id, created_at) select user_id, ${now} from audit_leftovers`.execute(
    db,
  )
  await sql`delete from audit_leftovers`.execute(db)
}
