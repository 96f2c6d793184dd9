import { run } from '../database/connect.ts'
import { CLEAN_UP } from '../schedule/jobs.ts'
import type { RecurringJob } from '../schedule/schedule.ts'
import { cleanUp } from './clean-up.ts'
import { ERASE, hasErasures } from './erasures.ts'
import { PURGE, purge } from './purge.ts'
import { TALLY, tally } from './tally.ts'
import { isActiveAdmin, userById } from './users.ts'

/** Every recurring job. Each scheduled time runs once across all processes. */
export const RECURRING_JOBS: readonly RecurringJob[] = [
  {
    name: CLEAN_UP,
    schedule: (config) => config.cleanupSchedule,
    run: cleanUp,
    // Not locked: requests lock the admin before the job.
    async onRequest(tx, { actorId }) {
      const [actor] = await run(tx, userById, actorId)
      return actor !== undefined && isActiveAdmin(actor)
    },
  },
  { name: PURGE, schedule: () => '30 * * * *', run: purge },
  { name: TALLY, schedule: () => '5 * * * *', run: tally },
  {
    ...ERASE,
    // So that what a request has left is gone soon.
    schedule: () => '* * * * * *',
    // The delivery, which polls as often, logs an outage.
    isDue: (ctx) => hasErasures(ctx.db).catch(() => false),
  },
]
