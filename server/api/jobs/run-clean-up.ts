import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import { CLEAN_UP, requestRun } from '../../schedule/jobs.ts'
import { actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { CurrentPassword } from '../schemas.ts'
import { assertAuthenticated, commitCounted, lockForChange } from '../user-changes.ts'
import { findAllJobs, Job, jobNamed } from './job.ts'

const schema = {
  operationId: 'runCleanUp',
  tags: ['System'],
  summary: 'Run the clean-up now',
  description:
    'Requests a run of the clean-up, which a worker starts within seconds; `GET /jobs` shows what it did, and also that it refused. A request that no worker has taken after five minutes lapses, as does one of an admin who has lost the rights by then. Requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`.',
  body: Type.Optional(
    Type.Object(
      {
        force: Type.Optional(
          Type.Boolean({
            default: false,
            description:
              'Deletes even if that is most users and the clock is in doubt: check the clock first.',
          }),
        ),
        current_password: Type.Optional(CurrentPassword),
      },
      { additionalProperties: false },
    ),
  ),
  response: {
    202: { ...Job, 'x-response-description': 'The run was requested.' },
  },
  errors: [
    'wrong_password',
    'reauthentication_required',
    'job_busy',
    'too_many_requests',
    'overloaded',
  ] as const,
}

export function runCleanUpRoute(app: App, ctx: Context, guards: Guards): void {
  const options = { schema, preValidation: allowNoBody, ...guards.admin }
  app.post('/jobs/clean-up/run', options, async (request, reply) => {
    const { force = false, current_password: password } = request.body ?? {}
    const actor = await actorOf(ctx, request, password)
    const { userId: actorId } = actor
    await commitCounted(ctx, { actor, limit: 'admin_acts' }, async (write) => {
      const lock = { actor, touchesRights: false, access: 'admin' } as const
      assertAuthenticated(await lockForChange(write, actorId, lock))
      const run = { name: CLEAN_UP, actorId, force }
      if (!(await requestRun(write.tx, run, write.nowMs))) throw new AppError('job_busy')
      await write.record('clean_up.requested', { changes: { force } })
    })
    return reply.code(202).send(jobNamed(await findAllJobs(ctx), CLEAN_UP))
  })
}
