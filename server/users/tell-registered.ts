import type { Context } from '../context.ts'
import { alreadyRegisteredMail, type Mail } from '../mail/messages.ts'
import { userForLogin } from './users.ts'

/** For the owner of an address that somebody tried to sign up again. */
export async function tellRegistered(
  ctx: Context,
  payload: { email: string },
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userForLogin, payload.email)
  return user && alreadyRegisteredMail({ to: user.email, publicUrl: ctx.config.publicUrl })
}
