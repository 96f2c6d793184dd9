import type { Context } from '../context.ts'
import { findInvited } from '../accounts/invitations.ts'
import { keySetOf } from '../keys/key-ring.ts'
import { linkToken } from '../keys/links.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { invitationLink, writeMail } from './mails.ts'

/**
 * The mail with the link; undefined once it has been used or replaced, or has expired. It does not name the
 * admin: a stranger to whom it goes astray learns nothing about the staff.
 */
export async function sendInvitation(
  ctx: Context,
  { invitationId, locale }: { invitationId: string; locale: string | null },
): Promise<Mail | undefined> {
  const user = await findInvited(ctx.db, invitationId, ctx.now())
  if (user === undefined) return undefined
  const token = linkToken(keySetOf(ctx.keys, user.key_id), 'invitation', invitationId)
  return writeMail(ctx.config.shop, 'invitation', {
    to: user.email,
    locale,
    link: invitationLink(ctx.config, token),
    until: user.invited_until ?? '',
  })
}
