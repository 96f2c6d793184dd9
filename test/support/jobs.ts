import { runDueJobs } from '../../server/schedule/schedule.ts'
import { RECURRING_JOBS } from '../../server/accounts/recurring-jobs.ts'
import type { Service } from './service.ts'

/** Runs this recurring job and no other, if it is due. */
export const runJob = (
  { ctx }: Pick<Service, 'ctx'>,
  name: 'clean-up' | 'purge' | 'tally' | 'erase',
) =>
  runDueJobs(
    ctx,
    RECURRING_JOBS.filter((job) => job.name === name),
  )
