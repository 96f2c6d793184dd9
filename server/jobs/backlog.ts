import { sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel } from './outbox.ts'

const CHANNELS: readonly Channel[] = ['mail', 'sms']
/** Longer than what failed without a refusal waits for its next try. */
const PUT_OFF_MAX_MS = 15 * MINUTE_MS

/**
 * True when a message has been due since `sinceMs` or longer and was not delivered. One that met no
 * refusal and was put off all the same waits for us or our transport, whenever it is due next.
 */
export async function isMailOverdue(db: Db, sinceMs: number): Promise<boolean> {
  const since = toIso(sinceMs)
  const overdue = await db
    .selectFrom('outbox')
    .select('id')
    .where('finished_at', 'is', null)
    .where('channel', 'in', CHANNELS)
    // Reminders wait for a day, and are many.
    .where('due_at', '<=', toIso(sinceMs + MINUTE_MS + PUT_OFF_MAX_MS))
    .where((eb) =>
      eb.or([
        eb('due_at', '<=', since),
        eb.and([
          eb('created_at', '<=', since),
          eb('refusals', '=', 0),
          eb('last_error', 'is not', null),
        ]),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return overdue !== undefined
}

/** Mails of any kind that were sent after a time, counted up to `max`. */
export async function countSentMails(db: Db, sinceMs: number, max: number): Promise<number> {
  const { count } = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('channel', '=', 'mail')
        // Written out: SQLite takes the index only for the condition that it was made with.
        .where(sql<boolean>`state = 'sent'`)
        .where('finished_at', '>', toIso(sinceMs))
        .limit(max)
        .as('sent'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** True when a mail of one of these kinds could be claimed now. */
export async function isMailDue(
  db: Db,
  { kinds, nowMs }: { kinds: readonly string[]; nowMs: number },
): Promise<boolean> {
  const due = await db
    .selectFrom('outbox')
    .select('id')
    .where('finished_at', 'is', null)
    .where('channel', '=', 'mail')
    .where('kind', 'in', kinds)
    .where('due_at', '<=', toIso(nowMs))
    .limit(1)
    .executeTakeFirst()
  return due !== undefined
}
