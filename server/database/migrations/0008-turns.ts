import { type Kysely, sql } from 'kysely'

// A migration must not depend on today's Schema, hence any.
export async function up(db: Kysely<any>): Promise<void> {
  // A process of the previous version enqueues with the defaults during an upgrade.
  await sql`alter table outbox add column line text not null default 'codes'`.execute(db)
  await sql`alter table outbox add column turn integer not null default 0`.execute(db)
  await sql`
    update outbox set line = 'sign_ups', turn = case when kind = 'reminder' then 3 else 0 end
    where finished_at is null
    and kind in ('verification', 'verification_again', 'already_registered', 'reminder')`.execute(
    db,
  )
  await sql`
    update outbox set line = 'notices' where finished_at is null
    and kind in ('new_device', 'session_replayed', 'password_changed', 'password_changed_left',
      'email_confirmed', 'email_undone', 'account_deleted')`.execute(db)

  await sql`
    create index outbox_turns on outbox (channel, line, turn, due_at)
    where finished_at is null`.execute(db)
  // For what waits of one user or address, however much was sent.
  await sql`
    create index outbox_user_waiting on outbox (user_id, line, kind, due_at)
    where finished_at is null and user_id is not null`.execute(db)
  await sql`
    create index outbox_address_waiting on outbox (email_canonical, line, due_at)
    where finished_at is null and user_id is null and email_canonical is not null`.execute(db)
  await sql`
    create index outbox_sent on outbox (line, finished_at) where state = 'sent'`.execute(db)
}
