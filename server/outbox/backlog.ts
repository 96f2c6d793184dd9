import type { Db } from '../database/connect.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel } from './kind.ts'

const CHANNELS: readonly Channel[] = ['mail', 'sms']
/** Longer than the backoff of a message that was not refused. */
const PUT_OFF_MAX_MS = 15 * MINUTE_MS

/**
 * True when a message has been due since `sinceMs` or earlier and is not delivered. A message that was
 * delayed without a refusal counts whatever its next due time: it waits for this service or its transport.
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
    // Excludes reminders, which are due a day later, from the scan.
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
    // Without `order by` PostgreSQL expects an early match and scans the whole table.
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst()
  return overdue !== undefined
}

/** Counts mails of any kind sent after a time, up to `max`. */
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
