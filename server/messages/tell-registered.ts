import type { Context } from '../context.ts'
import { alreadyRegisteredMail } from './mails.ts'
import { userForLogin } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** For the owner of an address that somebody tried to sign up again. */
export async function tellRegistered(
  ctx: Context,
  payload: { email: string },
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userForLogin, payload.email)
  if (user === undefined) return undefined
  // The owner's language: the one who asked may be a stranger.
  const { email: to, locale } = user
  return alreadyRegisteredMail(ctx.config.shop, { to, locale, publicUrl: ctx.config.publicUrl })
}
