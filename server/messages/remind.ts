import type { Context } from '../context.ts'
import { homeLink, originOf, writeMail } from './mails.ts'
import { findSignUpsOf } from '../accounts/sign-ups.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, userById } from '../accounts/users.ts'

/** Makes the reminder halfway to the deletion of an unverified account; undefined once verified or deleted. */
export async function remind(
  ctx: Context,
  { userId }: { userId: number },
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, userId)
  if (user === undefined || user.verified_at !== null || isExpired(user, expiryCutoff(ctx))) return
  // Before verification, each sign-up has its own language and origin; the reader remembers the newest.
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
