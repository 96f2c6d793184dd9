import { Type } from 'typebox'
import { previewCleanUp } from '../../accounts/clean-up.ts'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { COUNTED_MAX, Figure, figureUpToMax } from '../figures.ts'
import type { Guards } from '../guards.ts'

const schema = {
  operationId: 'previewCleanUp',
  tags: ['System'],
  summary: 'Show what a clean-up would delete',
  description:
    'Counts the accounts that were not verified within `UNVERIFIED_USER_TTL_HOURS` and says whether a run would delete them now. Deletes nothing. `GET /users?is_verified=false&sort=created_at` lists who they are.',
  response: {
    200: Type.Object(
      {
        expired: { ...Figure, description: 'The accounts that have expired.' },
        verdict: Type.Enum(['delete', 'refuse'], {
          description:
            '`refuse`: a run deletes nobody, unless with `force`: these are more than 1 000 accounts and more than half of all users, and the clock may be wrong.',
        }),
        because: Type.Optional(
          Type.Enum(['clock_ahead', 'last_run_long_ago'], {
            description:
              'Only with `refuse`: why the clock is in doubt. `clock_ahead`: it is more than five minutes ahead of the database’s clock. `last_run_long_ago`: the last run was more than two days ago, which a jump of the clock looks like.',
          }),
        ),
      },
      { description: 'What a run would do now.' },
    ),
  },
}

export function previewCleanUpRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/jobs/clean-up/dry-run', { schema, ...guards.admin }, async () => {
    const { expired, refusal } = await previewCleanUp(ctx, COUNTED_MAX)
    return {
      expired: figureUpToMax(expired),
      ...(refusal === undefined
        ? { verdict: 'delete' as const }
        : { verdict: 'refuse' as const, because: refusal.because }),
    }
  })
}
