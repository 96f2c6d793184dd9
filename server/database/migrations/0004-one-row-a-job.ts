import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`

  await sql`
    create table jobs (
      name text primary key,
      last_slot ${time},
      counts text,
      holder text,
      lease_until ${time}
    )`.execute(db)
  // During an upgrade, processes of the previous version still use job_runs; a later migration
  // drops it.
  await sql`
    insert into jobs (name, last_slot, counts)
    select name, slot, counts from job_runs as run
    where finished_at is not null and not exists (
      select 1 from job_runs as newer
      where newer.name = run.name and newer.slot > run.slot and newer.finished_at is not null
    )`.execute(db)
}
