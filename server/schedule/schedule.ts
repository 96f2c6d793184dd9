import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../settings/config.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import { AppError } from '../errors.ts'
import { readCron } from '../lib/cron.ts'
import { SECOND_MS, toIso } from '../lib/units.ts'
import {
  claimRequest,
  claimSlot,
  type Counts,
  findSlotState,
  finishSlot,
  type Grants,
  isRequested,
  type Lease,
  noteFailure,
  releaseSlot,
  renewLease,
  type RunRequest,
  type Slot,
} from './jobs.ts'

/**
 * Work that one process of all replicas runs at a time. It must be idempotent: a run that was killed or
 * outlived its lease is repeated from the start, possibly in parallel.
 */
export interface Job {
  /** The key in `jobs` and in the log. */
  readonly name: string
  /** Returns totals for the log. */
  readonly run: (ctx: Context, run: JobRun) => Promise<Counts>
}

/** A job that runs once for each time of its schedule. */
export interface RecurringJob extends Job {
  /** A cron expression in UTC with five or six fields. */
  readonly schedule: (config: Config) => string
  /** For a frequent job that seldom has work: false skips the slot without a write. */
  readonly isDue?: (ctx: Context) => Promise<boolean>
  /** Every process polls for requests to run it, which it must still grant. */
  readonly onRequest?: Grants
}

/** The context of a run. */
export interface JobRun {
  /** Absent for a scheduled time and for a command. */
  readonly request?: RunRequest | undefined
  /** Runs one short transaction, which also renews the lease, then pauses. */
  batch<Done>(work: (tx: Tx) => Promise<Done>): Promise<Done>
  /** Runs batches of at most `limit` rows until one is not full; returns the total. */
  drain(work: (tx: Tx, limit: number) => Promise<number>): Promise<number>
}

export interface ScheduleLoop {
  /** Finishes the current batch and releases the slots. */
  stop(): Promise<void>
}

const TICK_MS = SECOND_MS

/** The process is stopping; another one runs the slot. */
class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

/** Runs each job on schedule until stopped. Of missed slots only the latest is run, late. */
export function runSchedule(ctx: Context, jobs: readonly RecurringJob[]): ScheduleLoop {
  const stopping = new AbortController()
  const running = jobs.map((job) => loop(ctx, job, stopping.signal))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

async function loop(ctx: Context, job: RecurringJob, stopping: AbortSignal): Promise<void> {
  const cron = readCron(job.schedule(ctx.config))
  let doneMs: number | undefined
  while (!stopping.aborted) {
    ctx.loops.turned(job.name)
    // Polls the clock: it may be adjusted, and timers do not advance during suspend.
    const failed = (error: unknown) => {
      ctx.log.error({ err: error, job: job.name }, 'recurring job failed, will be retried')
      return 'busy' as const
    }
    const slotMs = cron.latestMs(ctx.now())
    if (slotMs !== undefined && slotMs !== doneMs) {
      const outcome = await runSlot(ctx, job, slotMs, stopping).catch(failed)
      if (outcome !== 'busy') doneMs = slotMs
    }
    await runRequested(ctx, job, stopping).catch(failed)
    await delay(TICK_MS, undefined, { signal: stopping }).catch(() => {})
  }
}

/** Runs every job that is due; returns the names of those that ran. */
export async function runDueJobs(ctx: Context, jobs: readonly RecurringJob[]): Promise<string[]> {
  const ran: string[] = []
  for (const job of jobs) {
    const slotMs = readCron(job.schedule(ctx.config)).latestMs(ctx.now())
    if (slotMs !== undefined && (await runSlot(ctx, job, slotMs)) === 'ran') ran.push(job.name)
    if ((await runRequested(ctx, job)) === 'ran') ran.push(job.name)
  }
  return ran
}

/** Runs a job now, whatever its schedule; undefined when another process runs it. */
export async function runJobNow(ctx: Context, job: Job): Promise<Counts | undefined> {
  const lease = await claim(ctx, { name: job.name, slotMs: ctx.now() })
  return typeof lease === 'string' ? undefined : execute(ctx, job, lease)
}

/** `done`: the slot needs no more attention. `busy`: another process runs it and may still crash. */
async function runSlot(
  ctx: Context,
  job: RecurringJob,
  slotMs: number,
  stopping?: AbortSignal,
): Promise<'ran' | 'done' | 'busy'> {
  if (job.isDue !== undefined && !(await job.isDue(ctx))) return 'done'
  const lease = await claim(ctx, { name: job.name, slotMs })
  return typeof lease === 'string' ? lease : runLeased(ctx, job, lease, stopping)
}

/** Runs a job that an admin requested, once across all processes. */
async function runRequested(
  ctx: Context,
  { name, run, onRequest: grants }: RecurringJob,
  stopping?: AbortSignal,
): Promise<'ran' | 'done' | 'busy'> {
  if (grants === undefined) return 'done'
  // The delivery, which polls as often, logs an outage.
  if (!(await isRequested(ctx.db, name, ctx.now()).catch(() => false))) return 'done'
  const lease = await ctx.transaction((tx) => claimRequest(tx, { name, grants }, ctx.now()))
  return lease === undefined ? 'busy' : runLeased(ctx, { name, run }, lease, stopping)
}

async function runLeased(
  ctx: Context,
  job: Job,
  lease: Lease,
  stopping?: AbortSignal,
): Promise<'ran' | 'busy'> {
  try {
    await execute(ctx, job, lease, stopping)
    return 'ran'
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error
    await ctx.transaction((tx) => releaseSlot(tx, lease))
    return 'busy'
  }
}

/** Checks with a read first, because every process polls every second. */
async function claim(ctx: Context, slot: Slot): Promise<Lease | 'done' | 'busy'> {
  const nowMs = ctx.now()
  const state = await findSlotState(ctx.db, slot, nowMs)
  if (state !== 'free') return state
  return (await ctx.transaction((tx) => claimSlot(tx, slot, nowMs))) ?? 'busy'
}

async function execute(
  ctx: Context,
  job: Job,
  lease: Lease,
  stopping?: AbortSignal,
): Promise<Counts> {
  const startedAt = performance.now()
  const counts = await job.run(ctx, jobRun(ctx, lease, stopping)).catch(async (error: unknown) => {
    const code = error instanceof AppError ? error.code : 'internal_error'
    const note = (tx: Tx) => noteFailure(tx, lease, { code, nowMs: ctx.now() })
    // The database may be what failed.
    if (!(error instanceof StoppedError)) await ctx.transaction(note).catch(() => {})
    throw error
  })
  await ctx.transaction((tx) => finishSlot(tx, lease, counts))
  const slot = toIso(lease.slotMs)
  const duration_ms = Math.round(performance.now() - startedAt)
  ctx.log.info({ job: job.name, slot, duration_ms, ...counts }, 'recurring job done')
  return counts
}

function jobRun(ctx: Context, lease: Lease, stopping?: AbortSignal): JobRun {
  const batch: JobRun['batch'] = async (work) => {
    if (stopping?.aborted) throw new StoppedError()
    const startedAt = performance.now()
    const done = await ctx.transaction(async (tx) => {
      await renewLease(tx, lease, ctx.now())
      return work(tx)
    })
    ctx.loops.turned(lease.name)
    await delay(Math.min(performance.now() - startedAt, ctx.pauseMaxMs))
    return done
  }
  return {
    request: lease.request,
    batch,
    async drain(work) {
      const limit = ctx.batchMax
      for (let sum = 0; ;) {
        const count = await batch((tx) => work(tx, limit))
        sum += count
        if (count < limit) return sum
      }
    },
  }
}
