import { type Kysely, sql } from 'kysely'

/** What admins see of jobs, the runs that they request, and the events of each day, counted once. */
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const time = dialect === 'postgres' ? sql`timestamptz(3)` : sql`text`

  await sql`alter table jobs add column failed_at ${time}`.execute(db)
  await sql`alter table jobs add column failure text`.execute(db)
  await sql`alter table jobs add column requested_at ${time}`.execute(db)
  await sql`alter table jobs add column request text`.execute(db)
  await sql`
    create table daily_counts (
      day text primary key,
      counted_until ${time} not null,
      sign_ups integer not null,
      logins integer not null,
      refused_logins integer not null
    )`.execute(db)
}
