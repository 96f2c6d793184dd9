import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../settings/config.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import { readCron } from '../lib/cron.ts'
import { SECOND_MS, toIso } from '../lib/units.ts'
import {
  claimSlot,
  type Counts,
  extendLease,
  finishRun,
  giveBack,
  type HeldRun,
  LeaseLostError,
  saveCounts,
  slotState,
} from './job-runs.ts'

/** Work that one process does at a time, of all replicas. */
export interface Job {
  /** Stands in `job_runs` and in the log. */
  readonly name: string
  readonly run: (ctx: Context, run: JobRun) => Promise<void>
  /** Written in the transaction that finishes the run. */
  readonly record?: (tx: Tx, totals: Counts, nowMs: number) => Promise<void>
}

/** A job that runs again and again: once for each time that its schedule names. */
export interface RecurringJob extends Job {
  /** Cron in UTC, of five or six fields. */
  readonly schedule: (config: Config) => string
}

/** What a job may do while it holds its slot. */
export interface JobRun {
  /**
   * One short transaction, which is rolled back when the slot was taken over meanwhile. What `work`
   * returns is added to the run's totals, which survive the process.
   */
  batch<Done extends Counts>(work: (tx: Tx) => Promise<Done>): Promise<Done>
  /** Batches of at most `limit` rows until one is not full; each returns how many there were. */
  drain(name: string, work: (tx: Tx, limit: number) => Promise<number>): Promise<void>
}

export interface ScheduleLoop {
  /** Finishes the batch in hand, gives its slots back, then stops. */
  stop(): Promise<void>
}

const TICK_MS = SECOND_MS
/** Between two batches requests get as long as a batch took, at most this. */
const PAUSE_MAX_MS = 100

/** The process stops: what is left of the run is for the next one. */
class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

/** Runs each job at its times until stopped. A slot that was missed is run late, the latest only. */
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
  let settled: number | undefined
  while (!stopping.aborted) {
    // The clock is asked each second: it may be set, and timers do not count while a laptop sleeps.
    const slotMs = cron.latestMs(ctx.now())
    if (slotMs !== undefined && slotMs !== settled) {
      const outcome = await runSlot(ctx, job, slotMs, stopping).catch((error: unknown) => {
        ctx.log.error({ err: error, job: job.name }, 'recurring job failed, it will be tried again')
        return 'busy' as const
      })
      if (outcome !== 'busy') settled = slotMs
    }
    await delay(TICK_MS, undefined, { signal: stopping }).catch(() => {})
  }
}

/** Runs every job whose slot is due, as one tick does; returns the names of those that ran. */
export async function runDueJobs(ctx: Context, jobs: readonly RecurringJob[]): Promise<string[]> {
  const ran: string[] = []
  for (const job of jobs) {
    const slotMs = readCron(job.schedule(ctx.config)).latestMs(ctx.now())
    if (slotMs !== undefined && (await runSlot(ctx, job, slotMs)) === 'ran') ran.push(job.name)
  }
  return ran
}

/** Runs a job now, whatever its schedule; undefined when a run of it is held somewhere. */
export async function runJobNow(ctx: Context, job: Job): Promise<Counts | undefined> {
  const key = { name: job.name, slot: toIso(ctx.now()), nowMs: ctx.now() }
  if ((await slotState(ctx.db, key)) !== 'free') return undefined
  const held = await ctx.transaction((tx) => claimSlot(tx, key))
  return held && execute(ctx, job, held)
}

/** `done`: nobody needs to look at this slot again. `busy`: somebody has it and may yet die. */
async function runSlot(
  ctx: Context,
  job: Job,
  slotMs: number,
  stopping?: AbortSignal,
): Promise<'ran' | 'done' | 'busy'> {
  const key = { name: job.name, slot: toIso(slotMs), nowMs: ctx.now() }
  const state = await slotState(ctx.db, key)
  if (state !== 'free') return state
  const held = await ctx.transaction((tx) => claimSlot(tx, key))
  if (held === undefined) return 'busy'
  try {
    await execute(ctx, job, held, stopping)
    return 'ran'
  } catch (error) {
    if (error instanceof LeaseLostError) {
      ctx.log.warn({ job: job.name, slot: held.slot }, 'lost the lease, another process goes on')
      return 'busy'
    }
    if (!(error instanceof StoppedError)) throw error
    await ctx.transaction((tx) => giveBack(tx, held, ctx.now()))
    return 'busy'
  }
}

async function execute(
  ctx: Context,
  job: Job,
  held: HeldRun,
  stopping?: AbortSignal,
): Promise<Counts> {
  const startedAt = performance.now()
  await job.run(ctx, jobRun(ctx, held, stopping))
  const totals = await ctx.transaction(async (tx) => {
    const nowMs = ctx.now()
    const counts = await extendLease(tx, held, nowMs)
    await job.record?.(tx, counts, nowMs)
    await finishRun(tx, held, nowMs)
    return counts
  })
  const durationMs = Math.round(performance.now() - startedAt)
  ctx.log.info(
    { job: job.name, slot: held.slot, duration_ms: durationMs, ...totals },
    'recurring job done',
  )
  return totals
}

function jobRun(ctx: Context, held: HeldRun, stopping?: AbortSignal): JobRun {
  const batch: JobRun['batch'] = async (work) => {
    if (stopping?.aborted) throw new StoppedError()
    const startedAt = performance.now()
    const done = await ctx.transaction(async (tx) => {
      const before = await extendLease(tx, held, ctx.now())
      const counts = await work(tx)
      await saveCounts(tx, held, sum(before, counts))
      return counts
    })
    // On SQLite statements hold the event loop; without a pause no request would get in between.
    await delay(Math.min(performance.now() - startedAt, PAUSE_MAX_MS))
    return done
  }
  return {
    batch,
    async drain(name, work) {
      const limit = ctx.batchMax
      for (let count = limit; count >= limit;) {
        const done = await batch(async (tx) => ({ [name]: await work(tx, limit) }))
        count = done[name] ?? 0
      }
    },
  }
}

function sum(before: Counts, counts: Counts): Counts {
  const totals: Record<string, number> = { ...before }
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count
  return totals
}
