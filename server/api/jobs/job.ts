import { type Static, Type } from 'typebox'
import { RECURRING_JOBS } from '../../accounts/recurring-jobs.ts'
import type { Context } from '../../context.ts'
import { Time } from '../../http/schemas.ts'
import { readCron } from '../../lib/cron.ts'
import { toIso } from '../../lib/units.ts'
import { type Counts, findJobs, type JobStatus } from '../../schedule/jobs.ts'
import type { RecurringJob } from '../../schedule/schedule.ts'

const LastRun = Type.Object(
  {
    at: Time('Its scheduled time, or the time when it was requested or started by a command.'),
    outcome: Type.Enum(['done', 'refused', 'skipped'], {
      description:
        '`refused`: the clean-up deleted nobody, because it would have deleted most users and the clock may be wrong. `skipped`: the purge deleted nothing, because the run before it was more than 7 days ago.',
    }),
    counts: Type.Unsafe<Counts>({
      type: 'object',
      description: 'What it did, as in the log: numbers by name.',
      additionalProperties: { type: 'integer' },
      examples: [{ found: 3, deleted: 3 }],
    }),
  },
  {
    additionalProperties: false,
    description:
      'The newest run that finished; earlier ones are in the log. Absent before the first one.',
  },
)

export const Job = Type.Object(
  {
    name: Type.Enum(
      RECURRING_JOBS.map(({ name }) => name),
      { type: 'string' },
    ),
    schedule: Type.String({
      description: 'A cron expression in UTC; with six fields, the first is seconds.',
      examples: ['0 0 * * *'],
    }),
    state: Type.Enum(['idle', 'requested', 'running'], {
      description:
        '`requested`: a run was requested less than five minutes ago and waits for a worker. `running`: a process runs it, or ended during it less than 30 seconds ago.',
    }),
    last_run: Type.Optional(LastRun),
    last_failure: Type.Optional(
      Type.Object(
        {
          at: Time('Time of the failure.'),
          code: Type.String({
            description: 'An error code of this API. The log has the cause.',
            examples: ['database_unavailable'],
          }),
        },
        {
          additionalProperties: false,
          description:
            'The newest failure since the last run that finished. A run that failed is repeated half a minute later.',
        },
      ),
    ),
    next_run_at: Type.Optional(Time('The next scheduled time. A job without work skips it.')),
  },
  { title: 'Job', additionalProperties: false, description: 'A recurring job.' },
)
export type Job = Static<typeof Job>

/** Every recurring job, as the processes together have run it. */
export async function findAllJobs(ctx: Context): Promise<Job[]> {
  const jobs = await findJobs(ctx.db, ctx.now())
  return RECURRING_JOBS.map((job) => toJob(ctx, job, jobs.get(job.name)))
}

/** Throws for a name that no job has. */
export function jobNamed(jobs: readonly Job[], name: string): Job {
  const found = jobs.find((job) => job.name === name)
  if (found === undefined) throw new Error(`there is no job ${name}`)
  return found
}

function toJob(ctx: Context, { name, schedule }: RecurringJob, status?: JobStatus): Job {
  const cron = schedule(ctx.config)
  const nextMs = readCron(cron).nextMs(ctx.now())
  const { state = 'idle', last, failure } = status ?? {}
  return {
    name,
    schedule: cron,
    state,
    ...(last && { last_run: toRun(last) }),
    ...(failure && { last_failure: failure }),
    ...(nextMs !== undefined && { next_run_at: toIso(nextMs) }),
  }
}

function toRun({ slotMs, counts }: { slotMs: number; counts: Counts }): Static<typeof LastRun> {
  const { refused, skipped, since_ms: _, ...rest } = counts
  const outcome = refused !== undefined ? 'refused' : skipped !== undefined ? 'skipped' : 'done'
  return { at: toIso(slotMs), outcome, counts: rest }
}
