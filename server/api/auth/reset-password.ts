import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { causeOf, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { preferredLocale } from '../../lib/locales.ts'
import { clearLogins } from './login-limits.ts'
import { endSessionsOf } from '../../accounts/sessions.ts'
import { readLinkToken } from '../../keys/links.ts'
import { clearCodeFailures } from '../../accounts/code-failures.ts'
import { deletePendingEmailChangesOf } from '../../accounts/email-changes.ts'
import { revokePasswordResetsOf, findResetOwner, usePasswordReset } from '../../accounts/resets.ts'
import {
  assertGoodPassword,
  enqueuePasswordChanged,
  setPassword,
} from '../../accounts/passwords.ts'
import { NewPassword, Sentence, LinkToken } from '../schemas.ts'
import {
  deleteInvitationOf,
  findInvited,
  isInvited,
  useInvitation,
} from '../../accounts/invitations.ts'
import { deletePhoneChangeOf } from '../../accounts/phone-changes.ts'
import { deleteSignUpsOf } from '../../accounts/sign-ups.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { activateUser, lockUser, type PublicUserRow } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'

const message = 'The password was set and all sessions were ended. Log in with the new password.'

const schema = {
  operationId: 'resetPassword',
  tags: ['Authentication'],
  summary: 'Set a new password with the emailed link',
  description:
    'The token is the part after `#token=` in the link, before any `&`. A rejected password does not consume it. The request ends every session, invalidates pending codes and notifies the user by email; it does not start a session. An unverified address becomes verified, without a name. A disabled account stays disabled. The link of an invitation accepts it: the account gets the name and the role in the invitation.',
  body: Type.Object(
    {
      token: LinkToken('The token from the link.'),
      password: NewPassword,
    },
    { title: 'PasswordReset', additionalProperties: false },
  ),
  response: {
    200: Sentence(message, 'The password was set. Log in with it.'),
  },
  errors: ['invalid_reset_token', 'overloaded'] as const,
}

export function resetPasswordRoute(app: App, ctx: Context): void {
  const config = { limits: ['reset_network'] } as const
  app.post('/auth/password/reset', { schema, config, ...hashAdmission(ctx) }, async (request) => {
    const { token, password } = request.body
    const link = readLink(ctx, token)
    const owner = link && (await findOwner(ctx, link))
    if (link === undefined || owner === undefined) throw new AppError('invalid_reset_token')
    // After the lookup, because the policy's answer reveals data of the owner; before the link is consumed.
    await assertGoodPassword(ctx, password, {
      role: link.isInvitation ? (owner.invited_role ?? owner.role) : owner.role,
      email: owner.email_canonical,
      fullName: owner.full_name,
      network: networkKeyOf(request),
    })
    const passwordHash = await hashingFor(ctx, request, owner.email_canonical).hash(password)
    await commit(ctx, causeOf(request), (write) =>
      reset(write, { link, userId: owner.id, passwordHash, request }),
    )
    await clearLogins(ctx, request, owner.email_canonical)
    return { message }
  })
}

interface Link {
  readonly id: string
  readonly isInvitation: boolean
}

function readLink({ keys }: Context, token: string): Link | undefined {
  const reset = readLinkToken(keys, 'reset', token)
  if (reset !== undefined) return { id: reset.id, isInvitation: false }
  const invitation = readLinkToken(keys, 'invitation', token)
  return invitation && { id: invitation.id, isInvitation: true }
}

function findOwner(ctx: Context, { id, isInvitation }: Link): Promise<PublicUserRow | undefined> {
  const find = isInvitation ? findInvited : findResetOwner
  return find(ctx.db, id, ctx.now())
}

interface Reset {
  readonly link: Link
  readonly userId: number
  readonly passwordHash: string
  readonly request: FastifyRequest
}

/** Throws `invalid_reset_token` when the link has been used or replaced, or the account deleted. */
async function reset(write: Write, { link, userId, passwordHash, request }: Reset): Promise<void> {
  const { tx, nowMs, record } = write
  const user = await lockUser(tx, userId)
  if (user === undefined || !(await consume(write, link, user)))
    throw new AppError('invalid_reset_token')

  if (user.verified_at === null) {
    const preferred = preferredLocale(request.headers['accept-language'])
    await verify(write, user, { link, passwordHash, locale: user.locale ?? preferred })
  } else {
    await setPassword(tx, user, { passwordHash, nowMs })
  }
  const changes = { sessions_ended: await endSessionsOf(tx, userId, { nowMs }) }
  await dropPending(write, user)
  // There was no password before.
  if (link.isInvitation) return
  await record('password.reset', { subjectId: userId, changes })
  await enqueuePasswordChanged(write, userId, clientOf(request))
}

async function consume({ tx, nowMs }: Write, link: Link, user: PublicUserRow): Promise<boolean> {
  if (!link.isInvitation) return usePasswordReset(tx, link.id, nowMs)
  return isInvited(user, nowMs) && useInvitation(tx, link.id)
}

/**
 * Verifies the account, because the mailed link proves control of the mailbox. A reset adopts no name and no
 * spelling of the address: every pending sign-up may be an attacker's. Only an invitation gives its role.
 */
async function verify(
  { ctx, tx, nowMs, record }: Write,
  { id, email_canonical: email, full_name: invitedName, invited_role: role }: PublicUserRow,
  { link, ...given }: { link: Link; passwordHash: string; locale: string | null },
): Promise<void> {
  const cutoff = expiryCutoff(ctx)
  const invited = link.isInvitation && role !== null ? { fullName: invitedName, role } : undefined
  const account = { fullName: null, ...invited }
  if (!(await activateUser(tx, id, { email, ...account, ...given, cutoff, nowMs })))
    throw new AppError('invalid_reset_token')
  if (invited === undefined) await record('user.verified', { subjectId: id })
  else await record('invitation.accepted', { subjectId: id, changes: { role: invited.role } })
}

/** Revokes all pending links, codes and sign-ups: an attacker may hold any of them. */
async function dropPending({ tx, nowMs }: Write, user: PublicUserRow): Promise<void> {
  const { id, email_canonical: email } = user
  await revokePasswordResetsOf(tx, user, nowMs)
  await deletePendingEmailChangesOf(tx, id)
  await deletePhoneChangeOf(tx, id)
  await deleteSignUpsOf(tx, id)
  if (user.invited_until !== null) await deleteInvitationOf(tx, id)
  await clearCodeFailures(tx, { email, purpose: 'verify' })
}
