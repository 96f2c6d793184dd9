import type { Context } from '../context.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import { passwordChangedMail } from './mails.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** For the owner of an account whose password was changed or reset. */
export async function tellPasswordChanged(
  ctx: Context,
  payload: OutboxPayloads['password_changed'],
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, payload.userId)
  return (
    user &&
    passwordChangedMail(ctx.config.shop, { ...payload, to: user.email, locale: user.locale })
  )
}
