import type { Context } from '../context.ts'
import { homeLink, originOf, writeMail } from './mails.ts'
import { findSignUpsOf } from '../accounts/sign-ups.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, userById } from '../accounts/users.ts'

/** Halfway to the deletion of an account that nobody verified; none once it is verified or gone. */
export async function remind(
  ctx: Context,
  { userId }: { userId: number },
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, userId)
  if (user === undefined || user.verified_at !== null || isExpired(user, expiryCutoff(ctx))) return
  // Until then language and origin belong to the attempts; the newest is what its reader remembers.
  const [newest] = await findSignUpsOf(ctx.db, user.id)
  if (newest === undefined) return
  return writeMail(ctx.config.shop, 'reminder', {
    to: newest.email,
    locale: newest.locale,
    from: originOf({ ip: newest.ip, userAgent: newest.user_agent }),
    signedUpAt: newest.created_at,
    until: verificationExpiresAt(ctx, user),
    link: homeLink(ctx.config),
  })
}
