import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { JobsTable } from '../database/schema.ts'
import { newId } from '../lib/random.ts'
import { MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'

/** The totals of a run, by name. */
export type Counts = Readonly<Record<string, number>>

/** A scheduled time of a job. */
export interface Slot {
  readonly name: string
  readonly slotMs: number
}

/** A run that an admin requested. */
export interface RunRequest {
  readonly actorId: number
  /** As `--force` of the command. */
  readonly force: boolean
}

/** A slot that is leased to this process. */
export interface Lease extends Slot {
  /** Unique per claim: a process that lost its lease cannot end its successor's. */
  readonly holder: string
  /** Absent for a scheduled time and for a command. */
  readonly request?: RunRequest
}

/** What the table knows of a job. */
export interface JobStatus {
  readonly state: 'idle' | 'requested' | 'running'
  /** The newest run that finished. */
  readonly last?: { readonly slotMs: number; readonly counts: Counts }
  /** The newest failure since then, with its error code. */
  readonly failure?: { readonly at: string; readonly code: string }
}

/** The job name of the clean-up; `/ready` reports its newest run. */
export const CLEAN_UP = 'clean-up'

/** Far longer than a batch, whose statements time out after five seconds. */
export const LEASE_MS = 30 * SECOND_MS

/** A request that no process has taken by then has lapsed: what it is based on may no longer hold. */
const REQUEST_MAX_MS = 5 * MINUTE_MS

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
  const job = await lockJob(tx, slot.name)
  return stateOf(job, slot, nowMs) === 'free' ? lease(tx, slot, nowMs) : undefined
}

/** Requests a run, which the next process that looks takes; false while another runs or is requested. */
export async function requestRun(
  tx: Tx,
  { name, ...request }: RunRequest & { readonly name: string },
  nowMs: number,
): Promise<boolean> {
  if (statusOf(await lockJob(tx, name), nowMs).state !== 'idle') return false
  await tx
    .updateTable('jobs')
    .set({ requested_at: toIso(nowMs), request: JSON.stringify(request) })
    .where('name', '=', name)
    .execute()
  return true
}

/** True when a requested run waits for a process. */
export async function isRequested(db: Db, name: string, nowMs: number): Promise<boolean> {
  return statusOf(await findJob(db, name), nowMs).state === 'requested'
}

/** Decides whether a request is still to be granted. */
export type Grants = (tx: Tx, request: RunRequest) => Promise<boolean>

/**
 * Leases the requested run to one of N concurrent callers; undefined for the others, and for all when the
 * request is no longer granted, which drops it.
 */
export async function claimRequest(
  tx: Tx,
  { name, grants }: { name: string; grants: Grants },
  nowMs: number,
): Promise<Lease | undefined> {
  const job = await lockJob(tx, name)
  if (statusOf(job, nowMs).state !== 'requested') return undefined
  const request = JSON.parse(job.request ?? '{}') as RunRequest
  if (!(await grants(tx, request))) {
    const none = { requested_at: null, request: null }
    await tx.updateTable('jobs').set(none).where('name', '=', name).execute()
    return undefined
  }
  return { ...(await lease(tx, { name, slotMs: nowMs }, nowMs)), request }
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
  const request = lease.request === undefined ? {} : { requested_at: null, request: null }
  await endLease(tx, lease, { ...done, ...request, failed_at: null, failure: null })
}

/** Notes why a run failed; it is repeated when its lease ends. No effect when the lease was lost. */
export async function noteFailure(
  tx: Tx,
  { name, holder }: Lease,
  { code, nowMs }: { code: string; nowMs: number },
): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ failed_at: toIso(nowMs), failure: code })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .execute()
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
  return statusOf(await findJob(db, name), nowMs).last
}

/** By name; a job that has never run is absent. */
export async function findJobs(db: Db, nowMs: number): Promise<ReadonlyMap<string, JobStatus>> {
  const jobs = await db.selectFrom('jobs').selectAll().execute()
  return new Map(jobs.map((job) => [job.name, statusOf(job, nowMs)]))
}

type JobRow = Selectable<JobsTable>

function findJob(db: Db, name: string): Promise<JobRow | undefined> {
  return db.selectFrom('jobs').selectAll().where('name', '=', name).executeTakeFirst()
}

async function lockJob(tx: Tx, name: string): Promise<JobRow> {
  await tx
    .insertInto('jobs')
    .values({ name })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return tx
    .selectFrom('jobs')
    .selectAll()
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirstOrThrow()
}

/** The caller holds the lock of the job. */
async function lease(tx: Tx, slot: Slot, nowMs: number): Promise<Lease> {
  const holder = newId()
  await tx
    .updateTable('jobs')
    .set({ holder, lease_until: toIso(nowMs + LEASE_MS) })
    .where('name', '=', slot.name)
    .execute()
  return { ...slot, holder }
}

function stateOf(job: JobRow | undefined, { slotMs }: Slot, nowMs: number): SlotState {
  const lastMs = lastSlotMs(job, nowMs)
  if (lastMs !== undefined && lastMs >= slotMs) return 'done'
  return isLeased(job, nowMs) ? 'busy' : 'free'
}

function statusOf(job: JobRow | undefined, nowMs: number): JobStatus {
  const slotMs = lastSlotMs(job, nowMs)
  const { failed_at: at = null, failure: code = null } = job ?? {}
  const isWaiting = Math.abs(nowMs - Date.parse(job?.requested_at ?? '')) < REQUEST_MAX_MS
  return {
    state: isLeased(job, nowMs) ? 'running' : isWaiting ? 'requested' : 'idle',
    ...(slotMs !== undefined && { last: { slotMs, counts: JSON.parse(job?.counts ?? '{}') } }),
    ...(at !== null && code !== null && { failure: { at, code } }),
  }
}

function isLeased(job: JobRow | undefined, nowMs: number): boolean {
  const remainingMs = Date.parse(job?.lease_until ?? '') - nowMs
  // A longer lease comes from a clock that ran ahead and is ignored.
  return remainingMs > 0 && remainingMs <= LEASE_MS + SKEW_MS
}

/** Ignores a slot from a clock that ran ahead, which would suspend the job until then. */
function lastSlotMs(job: JobRow | undefined, nowMs: number): number | undefined {
  const slotMs = Date.parse(job?.last_slot ?? '')
  return slotMs <= nowMs + SKEW_MS ? slotMs : undefined
}

async function endLease(
  tx: Tx,
  { name, holder }: Lease,
  done: Partial<Selectable<JobsTable>> = {},
): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ ...done, holder: null, lease_until: null })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .execute()
}
