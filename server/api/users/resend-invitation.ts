import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locales.ts'
import { refundIfThrown } from '../../limits/counters.ts'
import { openInvitation } from '../../accounts/invitations.ts'
import { lockUser } from '../../accounts/users.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { toUser, User } from '../schemas.ts'
import { commitCounted, lockForChange } from '../user-changes.ts'

const schema = {
  operationId: 'resendInvitation',
  tags: ['Users'],
  summary: 'Email an invitation again',
  description:
    'Emails a new link, which works once, for another seven days, with the same name and role; earlier links no longer work. 404 `not_found` for a user who was not invited. At most five invitations an hour for each address.',
  params: UserIdParams,
  response: {
    202: { ...User, 'x-response-description': 'The email is being sent.' },
  },
  errors: ['not_found', 'user_verified', 'user_disabled', 'too_many_requests'] as const,
}

export function resendInvitationRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/users/:id/invitation', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    const locale = preferredLocale(request.headers['accept-language'])
    const { email_canonical: email } = await readUser(ctx, id)
    const place = await ctx.limits.takeOrRefuse('invitations', email)
    const resend = () =>
      commitCounted(ctx, { actor, limit: 'admin_mails' }, async (write) => {
        const options = { actor, touchesRights: false, access: 'admin' } as const
        const { user } = await lockForChange(write, id, options)
        const { invited_role: role, full_name: fullName } = user
        if (user.verified_at !== null) throw new AppError('user_verified')
        if (role === null) throw new AppError('not_found')
        if (user.disabled_at !== null) throw new AppError('user_disabled')
        await openInvitation(write, user, { role, fullName, locale })
        await write.record('invitation.resent', { subjectId: id, changes: { role } })
        return (await lockUser(write.tx, id)) ?? user
      })
    const user = await refundIfThrown([place], resend)
    return reply.code(202).send(toUser(ctx, user))
  })
}
