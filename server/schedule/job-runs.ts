import type { Db, Tx } from '../database/connect.ts'
import { newId } from '../lib/random.ts'
import { SECOND_MS, toIso } from '../lib/units.ts'

/** What a run did so far, by the batches that were committed. */
export type Counts = Readonly<Record<string, number>>

/** One slot of a job, held by this process until the lease ends. */
export interface HeldRun {
  readonly name: string
  readonly slot: string
  /** New at each claim: whoever held the slot before has another one, and writes nothing more. */
  readonly holder: string
}

/** The name of the clean-up, which readiness asks for. */
export const CLEAN_UP = 'clean-up'

/** Far longer than a batch may take: five seconds a statement. */
export const LEASE_MS = 30 * SECOND_MS

/** How far the clocks of two replicas may differ. */
const SKEW_MS = 5 * SECOND_MS

/** A lease that ends later than any of today's was made by a clock that ran ahead, and binds nobody. */
const latestLease = (nowMs: number) => toIso(nowMs + LEASE_MS + SKEW_MS)

/** Somebody else took the slot over while this process slept; nothing may be written for it. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

/**
 * `done` is final: this slot was run, or a later one, which did its work, too. `busy`: a run of this
 * job, of this slot or another, is held; else `free`.
 */
export async function slotState(
  db: Db,
  { name, slot, nowMs }: { name: string; slot: string; nowMs: number },
): Promise<'done' | 'busy' | 'free'> {
  const done = await db
    .selectFrom('job_runs')
    .select('slot')
    .where('name', '=', name)
    .where('slot', '>=', slot)
    // What a clock that ran ahead has run is not yet done.
    .where('slot', '<=', toIso(nowMs))
    .where('finished_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  if (done !== undefined) return 'done'
  const held = await db
    .selectFrom('job_runs')
    .select('slot')
    .where('name', '=', name)
    .where('holder', 'is not', null)
    .where('lease_until', '>', toIso(nowMs))
    .where('lease_until', '<=', latestLease(nowMs))
    .limit(1)
    .executeTakeFirst()
  return held === undefined ? 'free' : 'busy'
}

/**
 * Claims a slot that nobody had, or whose holder let its lease end without finishing; undefined for
 * every other one, and while another slot of the job is held. The index decides: of N callers one gets it.
 */
export async function claimSlot(
  tx: Tx,
  { name, slot, nowMs }: { name: string; slot: string; nowMs: number },
): Promise<HeldRun | undefined> {
  await releaseEnded(tx, name, nowMs)
  const run = { name, slot, holder: newId() }
  const lease = { holder: run.holder, lease_until: toIso(nowMs + LEASE_MS) }
  const begun = await tx
    .insertInto('job_runs')
    .values({ name, slot, ...lease, finished_at: null, counts: '{}' })
    .onConflict((conflict) => conflict.doNothing())
    .returning('slot')
    .executeTakeFirst()
  if (begun !== undefined) return run
  const taken = await tx
    .updateTable('job_runs')
    .set(lease)
    .where('name', '=', name)
    .where('slot', '=', slot)
    .where('finished_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('job_runs as other')
            .select('other.slot')
            .where('other.name', '=', name)
            .where('other.holder', 'is not', null),
        ),
      ),
    )
    .returning('slot')
    .executeTakeFirst()
  return taken && run
}

/** Whoever let its lease end holds nothing any more: its job may begin elsewhere, at any slot. */
async function releaseEnded(tx: Tx, name: string, nowMs: number): Promise<void> {
  // Who would take over one slot and who would take over another come one after the other.
  await tx
    .selectFrom('job_runs')
    .select('slot')
    .where('name', '=', name)
    .where('finished_at', 'is', null)
    .orderBy('slot')
    .forUpdate()
    .execute()
  await tx
    .updateTable('job_runs')
    .set({ holder: null })
    .where('name', '=', name)
    .where('holder', 'is not', null)
    .where((eb) =>
      eb.or([eb('lease_until', '<=', toIso(nowMs)), eb('lease_until', '>', latestLease(nowMs))]),
    )
    .execute()
}

/**
 * Locks the run until the transaction ends, makes its lease new and returns what it did so far.
 * Throws LeaseLostError once it is no longer ours: whatever follows in the transaction is fenced.
 */
export async function extendLease(tx: Tx, run: HeldRun, nowMs: number): Promise<Counts> {
  const held = await tx
    .updateTable('job_runs')
    .set({ lease_until: toIso(nowMs + LEASE_MS) })
    .where('name', '=', run.name)
    .where('slot', '=', run.slot)
    .where('holder', '=', run.holder)
    .where('finished_at', 'is', null)
    .returning('counts')
    .executeTakeFirst()
  if (held === undefined) throw new LeaseLostError(`lost the lease of ${run.name} ${run.slot}`)
  return JSON.parse(held.counts ?? '{}')
}

/** The newest of a job's slots that is finished; not one that a clock that ran ahead has run. */
export async function latestRun(
  db: Db,
  name: string,
  nowMs: number,
): Promise<{ slotMs: number; counts: Counts } | undefined> {
  const run = await db
    .selectFrom('job_runs')
    .select(['slot', 'counts'])
    .where('name', '=', name)
    .where('finished_at', 'is not', null)
    .where('slot', '<=', toIso(nowMs))
    .orderBy('slot', 'desc')
    .limit(1)
    .executeTakeFirst()
  return run && { slotMs: Date.parse(run.slot), counts: JSON.parse(run.counts ?? '{}') }
}

/** After `extendLease` in the same transaction. */
export async function saveCounts(tx: Tx, run: HeldRun, counts: Counts): Promise<void> {
  await tx
    .updateTable('job_runs')
    .set({ counts: JSON.stringify(counts) })
    .where('name', '=', run.name)
    .where('slot', '=', run.slot)
    .execute()
}

/** After `extendLease` in the same transaction: the slot is done, for everybody and for good. */
export async function finishRun(tx: Tx, run: HeldRun, nowMs: number): Promise<void> {
  await tx
    .updateTable('job_runs')
    .set({ finished_at: toIso(nowMs), holder: null })
    .where('name', '=', run.name)
    .where('slot', '=', run.slot)
    .execute()
}

/** Ends the lease so that another process goes on at once; nothing when it is no longer ours. */
export async function giveBack(tx: Tx, run: HeldRun, nowMs: number): Promise<void> {
  await tx
    .updateTable('job_runs')
    .set({ lease_until: toIso(nowMs) })
    .where('name', '=', run.name)
    .where('slot', '=', run.slot)
    .where('holder', '=', run.holder)
    .where('finished_at', 'is', null)
    .execute()
}

/**
 * Deletes at most `limit` runs whose slot is older than `before`; returns how many. The newest that
 * ended stays for each job: without it the schedule would take its slot for a missed one. So does what
 * is held: it may have been missed for long.
 */
export async function deleteRunsBefore(tx: Tx, before: string, limit: number): Promise<number> {
  const old = await tx
    .selectFrom('job_runs')
    .select(['name', 'slot'])
    .where('slot', '<', before)
    .where('holder', 'is', null)
    .where(({ eb, or, exists, selectFrom }) =>
      or([
        eb('finished_at', 'is', null),
        exists(
          selectFrom('job_runs as newer')
            .select('newer.slot')
            .whereRef('newer.name', '=', 'job_runs.name')
            .whereRef('newer.slot', '>', 'job_runs.slot')
            .where('newer.finished_at', 'is not', null),
        ),
      ]),
    )
    .limit(limit)
    .execute()
  for (const run of old) {
    await tx
      .deleteFrom('job_runs')
      .where('name', '=', run.name)
      .where('slot', '=', run.slot)
      .where('holder', 'is', null)
      .execute()
  }
  return old.length
}
