import { blankEventsOf, type EventKey } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Db, Tx } from '../database/connect.ts'
import { toIso } from '../lib/units.ts'
import { forgetMessages, handOverMessages, isLast, type MessagesOf } from '../outbox/forget.ts'
import type { Counts } from '../schedule/jobs.ts'
import type { Job, JobRun } from '../schedule/schedule.ts'
import { retainedSignUpMails } from './expiry.ts'
import { deleteSessionsOf } from './sessions.ts'
import type { AccountKey } from './users.ts'

// What an account wrote grows without a bound, so a request processes one batch of it and leaves the rest
// in `erasures`, which a job empties. Until then, readers leave out what identifies a deleted user.

interface Store {
  readonly ctx: Context
  readonly tx: Tx
  readonly nowMs: number
}

/** Rows of each table that a request processes: a fraction of its database time, even on a busy server. */
const REQUEST_ROWS = 200
/** Rows of each account that fit into a transaction that deletes many: the clean-up leaves none to the job. */
const ROWS_PER_ACCOUNT = 10

/** Erases the first rows of deleted accounts in every table but `users`, and leaves the rest to the job. */
export async function eraseRowsOf(
  store: Store,
  accounts: readonly AccountKey[],
  { keepMessages }: { keepMessages: boolean },
): Promise<void> {
  const { tx, nowMs } = store
  if (accounts.length === 0) return
  const userIds = accounts.map(({ id }) => id)
  // Messages that were to go to one of them become ordinary messages of a deleted account.
  await tx.updateTable('erasures').set({ heir_id: null }).where('heir_id', 'in', userIds).execute()
  const limit = Math.max(REQUEST_ROWS, ROWS_PER_ACCOUNT * accounts.length)
  const emails = accounts.map((account) => account.email_canonical)
  const { isDone } = await eraseSome(store, { userIds, emails }, { keepMessages, limit })
  if (isDone) return
  const created_at = toIso(nowMs)
  await tx
    .insertInto('erasures')
    .values(
      accounts.map(({ id, email_canonical }) => ({
        user_id: id,
        email_canonical: keepMessages ? null : email_canonical,
        created_at,
      })),
    )
    .execute()
}

/**
 * Gives the messages of a deleted account, or the messages to an address that belong to no user, to a
 * user, so that they are exported and erased together; the first at once and the rest by the job.
 */
export async function handOver(
  { tx, nowMs }: Store,
  from: { readonly userId: number } | { readonly email: string },
  heirId: number,
): Promise<void> {
  const limit = REQUEST_ROWS
  const [userIds, emails] = 'userId' in from ? [[from.userId], []] : [[], [from.email]]
  if (await handOverMessages(tx, { userIds, emails }, { heirId, limit })) return
  const [user_id, email_canonical] = [userIds[0] ?? null, emails[0] ?? null]
  // In place of the erasure that the deletion of the account has left.
  if (user_id !== null) await tx.deleteFrom('erasures').where('user_id', '=', user_id).execute()
  await tx
    .insertInto('erasures')
    .values({ user_id, email_canonical, heir_id: heirId, created_at: toIso(nowMs) })
    .execute()
}

/** Its run is repeated by whichever process comes next when it is killed. */
export const ERASE: Job = { name: 'erase', run: finishErasures }

export async function hasErasures(db: Db): Promise<boolean> {
  const erasure = await db.selectFrom('erasures').select('id').limit(1).executeTakeFirst()
  return erasure !== undefined
}

/** How far this process has come with the events of an erasure, which stay in their index. */
interface Progress {
  readonly id: number
  readonly after: EventKey | undefined
}

/** Finishes what requests have left, oldest first, in short transactions. */
export async function finishErasures(ctx: Context, run: JobRun): Promise<Counts> {
  let erased = 0
  let progress: Progress | undefined
  for (;;) {
    const done = await run.batch((tx) => continueErasing({ ctx, tx, nowMs: ctx.now() }, progress))
    if (done === 'none') return { erased }
    if (done === 'finished') erased++
    progress = done === 'finished' ? undefined : done
  }
}

async function continueErasing(
  store: Store,
  progress: Progress | undefined,
): Promise<'none' | 'finished' | Progress> {
  const { ctx, tx } = store
  // Another process may be at the oldest: a purge and the job run under leases of their own.
  const erasure = await tx
    .selectFrom('erasures')
    .select(['id', 'user_id', 'email_canonical', 'heir_id', 'created_at'])
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  if (erasure === undefined) return 'none'
  const { id, user_id: userId, email_canonical: email, heir_id: heirId } = erasure
  const rows = {
    userIds: userId === null ? [] : [userId],
    emails: email === null ? [] : [email],
    createdUntil: erasure.created_at,
  }
  const limit = ctx.batchMax
  const isHandedOver = heirId === null || (await handOverMessages(tx, rows, { heirId, limit }))
  const { isDone, after } = await eraseSome(store, rows, {
    keepMessages: heirId !== null,
    limit,
    after: progress?.id === id ? progress.after : undefined,
  })
  if (!isHandedOver || !isDone) return { id, after }
  await tx.deleteFrom('erasures').where('id', '=', id).execute()
  return 'finished'
}

interface Share {
  readonly keepMessages: boolean
  readonly limit: number
  readonly after?: EventKey | undefined
}

async function eraseSome(
  { ctx, tx, nowMs }: Store,
  rows: MessagesOf,
  { keepMessages, limit, after }: Share,
): Promise<{ isDone: boolean; after: EventKey | undefined }> {
  const { userIds } = rows
  const options = { nowMs, limit, counted: retainedSignUpMails(ctx) }
  // First: this waits for a refresh or logout of the user that is about to record an event.
  const deleted = await deleteSessionsOf(tx, userIds, limit)
  const forgotten = keepMessages || (await forgetMessages(tx, rows, options))
  const blanked = await blankEventsOf(tx, userIds, { limit, after })
  return {
    isDone: isLast(deleted, limit) && forgotten && blanked.isLast,
    after: blanked.after,
  }
}
