import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locales.ts'
import { refundIfThrown } from '../../limits/counters.ts'
import { notifyAdmins } from '../../accounts/admins.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { openInvitation } from '../../accounts/invitations.ts'
import { isExpired, lockUser } from '../../accounts/users.ts'
import { actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { OptionalProof, toUser, User } from '../schemas.ts'
import { assertAuthenticated, commitCounted, lockForChange } from '../user-changes.ts'

const schema = {
  operationId: 'resendInvitation',
  tags: ['Users'],
  summary: 'Email an invitation again',
  description:
    'Emails a new link, which works once, for another seven days, with the same name and role; earlier links no longer work. 404 `not_found` for a user who was not invited, or whose account has expired. At most five invitations an hour for each address. An invitation to become an admin requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.',
  params: UserIdParams,
  body: OptionalProof,
  response: {
    202: { ...User, 'x-response-description': 'The email is being sent.' },
  },
  errors: [
    'wrong_password',
    'reauthentication_required',
    'not_found',
    'user_verified',
    'user_disabled',
    'too_many_requests',
    'overloaded',
  ] as const,
}

export function resendInvitationRoute(app: App, ctx: Context, guards: Guards): void {
  const options = { schema, preValidation: allowNoBody, ...guards.admin }
  app.post('/users/:id/invitation', options, async (request, reply) => {
    const { id } = request.params
    const actor = await actorOf(ctx, request, request.body?.current_password)
    const locale = preferredLocale(request.headers['accept-language'])
    const { email_canonical: email } = await readUser(ctx, id)
    const place = await ctx.limits.takeOrRefuse('invitations', email)
    const resend = () =>
      commitCounted(ctx, { actor, limit: 'admin_mails' }, async (write) => {
        const lock = { actor, touchesRights: true, access: 'admin' } as const
        const locked = await lockForChange(write, id, lock)
        const { user, admins } = locked
        const { invited_role: role, full_name: fullName } = user
        if (user.verified_at !== null) throw new AppError('user_verified')
        if (user.disabled_at !== null) throw new AppError('user_disabled')
        if (role === null || isExpired(user, expiryCutoff(ctx))) throw new AppError('not_found')
        if (role === 'admin') assertAuthenticated(locked)
        await openInvitation(write, user, { role, fullName, locale })
        await write.record('invitation.resent', { subjectId: id, changes: { role } })
        const acted = { actorId: actor.userId, act: 'invited', subjectId: id } as const
        if (role === 'admin') await notifyAdmins(write, admins, acted)
        return (await lockUser(write.tx, id)) ?? user
      })
    const user = await refundIfThrown([place], resend)
    return reply.code(202).send(toUser(ctx, user))
  })
}
