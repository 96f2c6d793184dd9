import type { Db } from '../database/connect.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel } from './kind.ts'

const CHANNELS: readonly Channel[] = ['mail', 'sms']
/** Longer than what failed without a refusal waits for its next try. */
const PUT_OFF_MAX_MS = 15 * MINUTE_MS

/**
 * True when a message has been due since `sinceMs` or longer and was not delivered. One that met no
 * refusal and was put off all the same waits for us or our transport, whenever it is due next.
 */
export async function isMailOverdue(db: Db, sinceMs: number): Promise<boolean> {
  for (const channel of CHANNELS) if (await isOverdue(db, channel, toIso(sinceMs))) return true
  return false
}

async function isOverdue(db: Db, channel: Channel, since: string): Promise<boolean> {
  const overdue = await db
    .selectFrom('outbox')
    .select('id')
    .where('finished_at', 'is', null)
    .where('channel', '=', channel)
    // Reminders wait for a day, and are many.
    .where('due_at', '<=', toIso(Date.parse(since) + MINUTE_MS + PUT_OFF_MAX_MS))
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
    // As a claim does: without it PostgreSQL expects to find one at once, and reads the whole table.
    .orderBy('due_at')
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
        .where('state', '=', 'sent')
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
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst()
  return due !== undefined
}
