import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { refundIfThrown } from '../../limits/counters.ts'
import { enqueueResetLink, findLivingReset } from '../../accounts/resets.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { Sentence } from '../schemas.ts'
import { commitCounted, lockForChange } from '../user-changes.ts'

const message = 'A link to set a new password is on its way.'

const schema = {
  operationId: 'sendPasswordReset',
  tags: ['Users'],
  summary: 'Email a user a link to set a new password',
  description:
    'As `POST /auth/password/forgot` of the user: the link works once, for 30 minutes, and nothing changes until it is used. The email does not name the admin. At most three an hour for each address, by all admins. An unverified user has no password yet: `POST /users/{id}/verification` mails the code again, `POST /users/{id}/invitation` the invitation.',
  params: UserIdParams,
  response: { 202: Sentence(message, 'The email is being sent.') },
  errors: ['not_found', 'user_unverified', 'user_disabled', 'too_many_requests'] as const,
}

export function sendPasswordResetRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/users/:id/password-reset', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    const { email_canonical: email } = await readUser(ctx, id)
    const place = await ctx.limits.takeOrRefuse('sent_resets', email)
    const send = () =>
      commitCounted(ctx, { actor, limit: 'admin_mails' }, async (write) => {
        const options = { actor, touchesRights: false, access: 'admin' } as const
        const { user } = await lockForChange(write, id, options)
        if (user.verified_at === null) throw new AppError('user_unverified')
        if (user.disabled_at !== null) throw new AppError('user_disabled')
        const living = await findLivingReset(write.tx, id, write.nowMs)
        await enqueueResetLink(write, user, { living })
      })
    await refundIfThrown([place], send)
    return reply.code(202).send({ message })
  })
}
