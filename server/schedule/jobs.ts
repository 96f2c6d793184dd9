import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { JobsTable } from '../database/schema.ts'
import { newId } from '../lib/random.ts'
import { SECOND_MS, toIso } from '../lib/units.ts'

/** The totals of a run, by name. */
export type Counts = Readonly<Record<string, number>>

/** A scheduled time of a job. */
export interface Slot {
  readonly name: string
  readonly slotMs: number
}

/** A slot that is leased to this process. */
export interface Lease extends Slot {
  /** Unique per claim: a process that lost its lease cannot end its successor's. */
  readonly holder: string
}

/** The job name of the clean-up; `/ready` reports its newest run. */
export const CLEAN_UP = 'clean-up'

/** Far longer than a batch, whose statements time out after five seconds. */
export const LEASE_MS = 30 * SECOND_MS

/** The tolerated clock skew of replicas. */
const SKEW_MS = 5 * SECOND_MS

/**
 * `done`: this slot or a later one has been run. `busy`: a process holds the job's lease for any slot.
 * Otherwise `free`.
 */
export type SlotState = 'done' | 'busy' | 'free'

export async function findSlotState(db: Db, slot: Slot, nowMs: number): Promise<SlotState> {
  return stateOf(await findJob(db, slot.name), slot, nowMs)
}

/** Leases a slot to one of N concurrent callers; undefined for the others, or when it is done or busy. */
export async function claimSlot(tx: Tx, slot: Slot, nowMs: number): Promise<Lease | undefined> {
  const { name } = slot
  await tx
    .insertInto('jobs')
    .values({ name })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const job = await tx
    .selectFrom('jobs')
    .selectAll()
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst()
  if (stateOf(job, slot, nowMs) !== 'free') return undefined
  const holder = newId()
  await tx
    .updateTable('jobs')
    .set({ holder, lease_until: toIso(nowMs + LEASE_MS) })
    .where('name', '=', name)
    .execute()
  return { ...slot, holder }
}

/** Extends the lease to LEASE_MS from now; no effect when the lease was lost. */
export async function renewLease(tx: Tx, { name, holder }: Lease, nowMs: number): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ lease_until: toIso(nowMs + LEASE_MS) })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .execute()
}

/** Marks the slot as done and ends the lease; no effect when the lease was lost. */
export async function finishSlot(tx: Tx, lease: Lease, counts: Counts): Promise<void> {
  const done = { last_slot: toIso(lease.slotMs), counts: JSON.stringify(counts) }
  await endLease(tx, lease, done)
}

/** Ends the lease, so that another process can run the slot. */
export function releaseSlot(tx: Tx, lease: Lease): Promise<void> {
  return endLease(tx, lease)
}

/** The newest run of a job, except one from a clock that ran ahead. */
export async function findLastRun(
  db: Db,
  name: string,
  nowMs: number,
): Promise<{ slotMs: number; counts: Counts } | undefined> {
  const job = await findJob(db, name)
  const slotMs = lastSlotMs(job, nowMs)
  return slotMs === undefined ? undefined : { slotMs, counts: JSON.parse(job?.counts ?? '{}') }
}

type JobRow = Selectable<JobsTable>

function findJob(db: Db, name: string): Promise<JobRow | undefined> {
  return db.selectFrom('jobs').selectAll().where('name', '=', name).executeTakeFirst()
}

function stateOf(job: JobRow | undefined, { slotMs }: Slot, nowMs: number): SlotState {
  const lastMs = lastSlotMs(job, nowMs)
  if (lastMs !== undefined && lastMs >= slotMs) return 'done'
  const remainingMs = Date.parse(job?.lease_until ?? '') - nowMs
  // A longer lease comes from a clock that ran ahead and is ignored.
  return remainingMs > 0 && remainingMs <= LEASE_MS + SKEW_MS ? 'busy' : 'free'
}

/** Ignores a slot from a clock that ran ahead, which would suspend the job until then. */
function lastSlotMs(job: JobRow | undefined, nowMs: number): number | undefined {
  const slotMs = Date.parse(job?.last_slot ?? '')
  return slotMs <= nowMs + SKEW_MS ? slotMs : undefined
}

async function endLease(
  tx: Tx,
  { name, holder }: Lease,
  done: { last_slot?: string; counts?: string } = {},
): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ ...done, holder: null, lease_until: null })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .execute()
}
