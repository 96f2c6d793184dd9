import { type Static, Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { PublicUserRow } from '../../database/schema.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { Email } from '../../http/schemas.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { type Locale, preferredLocale } from '../../lib/locales.ts'
import { refundIfThrown } from '../../limits/counters.ts'
import { openUnverified } from '../../accounts/addresses.ts'
import { notifyAdmins } from '../../accounts/admins.ts'
import { isInvited, openInvitation } from '../../accounts/invitations.ts'
import { normalFullName } from '../../accounts/names.ts'
import { type Invited, lockUser } from '../../accounts/users.ts'
import { type Actor, actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { CurrentPassword, FullName, toUser, User } from '../schemas.ts'
import { assertAuthenticated, commitCounted, lockForChange } from '../user-changes.ts'

const Invitation = Type.Object(
  {
    email: Email,
    full_name: Type.Optional(FullName),
    role: Type.Optional(
      Type.Enum(['user', 'admin'], {
        type: 'string',
        default: 'user',
        description: 'What accepting the invitation gives.',
      }),
    ),
    current_password: Type.Optional(CurrentPassword),
  },
  {
    title: 'Invitation',
    additionalProperties: false,
    examples: [{ email: 'ann@example.com', full_name: 'Ann Lee' }],
  },
)

const schema = {
  operationId: 'inviteUser',
  tags: ['Users'],
  summary: 'Invite a user',
  description:
    'Creates an unverified user and emails a link to choose a password, in the language of `Accept-Language`. The link works once, for seven days; using it verifies the address, and gives the account the name and the role. Until then `role` is `user` and `invited_role` is the role in the invitation; a user who is not verified by then is deleted. An unverified address that somebody signed up can be invited, too: those sign-ups stay pending until the invitation is accepted, and neither their codes nor `/auth/password/forgot` give the role. 409 `email_taken` for an address that is verified, invited, disabled, or reserved for a former owner. `POST /users/{id}/invitation` repeats an invitation, `DELETE` revokes it. The role `admin` requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.',
  body: Invitation,
  response: {
    201: { ...User, 'x-response-description': 'The user was created and is being mailed.' },
  },
  errors: [
    'wrong_password',
    'reauthentication_required',
    'email_taken',
    'too_many_requests',
    'overloaded',
  ] as const,
}

export function inviteUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/users', { schema, ...guards.admin }, async (request, reply) => {
    const { current_password: password, ...body } = request.body
    const wanted = wantedFrom(body, preferredLocale(request.headers['accept-language']))
    const actor = await actorOf(ctx, request, password)
    const place = await ctx.limits.takeOrRefuse('invitations', wanted.email)
    const user = await refundIfThrown([place], () => invite(ctx, actor, wanted))
    return reply.code(201).send(toUser(ctx, user))
  })
}

interface Wanted extends Invited {
  /** Canonical. */
  readonly email: string
  readonly locale: Locale | null
}

function wantedFrom(
  {
    email,
    full_name: name = null,
    role = 'user',
  }: Omit<Static<typeof Invitation>, 'current_password'>,
  locale: Locale | null,
): Wanted {
  return { email: canonicalEmail(email) ?? '', fullName: normalFullName(name), role, locale }
}

function invite(ctx: Context, actor: Actor, { email, ...wanted }: Wanted): Promise<PublicUserRow> {
  return commitCounted(ctx, { actor, limit: 'admin_mails' }, async (write) => {
    const { role } = wanted
    const touchesRights = role === 'admin'
    const options = { actor, touchesRights, access: 'admin' } as const
    const locked = await lockForChange(write, actor.userId, options)
    if (touchesRights) assertAuthenticated(locked)
    const user = await openUnverified(write, email)
    if (user === undefined || user.disabled_at !== null || isInvited(user, write.nowMs))
      throw new AppError('email_taken')
    const { id } = user
    await openInvitation(write, user, wanted)
    await write.record('user.invited', { subjectId: id, changes: { role } })
    const acted = { actorId: actor.userId, act: 'invited', subjectId: id } as const
    if (touchesRights) await notifyAdmins(write, locked.admins, acted)
    return (await lockUser(write.tx, id)) ?? user
  })
}
