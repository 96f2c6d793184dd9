import { type Kysely, sql } from 'kysely'

/**
 * One index per filter and order, so that a page never reads users whom its filter leaves out, whatever
 * their number. Every user is in three of them; admins are few.
 */
export async function up(db: Kysely<any>): Promise<void> {
  for (const state of ['unverified', 'verified'] as const) {
    const where = sql.raw(`verified_at is ${state === 'verified' ? 'not null' : 'null'}`)
    const name = (order: string) => sql.ref(`users_${state}_${order}`)
    await sql`create index ${name('id')} on users (id) where ${where}`.execute(db)
    await sql`create index ${name('email')} on users (email_canonical) where ${where}`.execute(db)
    await sql`create index ${name('created')} on users (created_at, id) where ${where}`.execute(db)
  }
  await sql`create index users_admins_email on users (email_canonical) where role = 'admin'`.execute(
    db,
  )
  await sql`create index users_admins_created on users (created_at, id) where role = 'admin'`.execute(
    db,
  )
}
