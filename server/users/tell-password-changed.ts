import type { Context } from '../context.ts'
import type { OutboxPayloads } from '../jobs/outbox.ts'
import { type Mail, passwordChangedMail } from '../mail/messages.ts'
import { userById } from './users.ts'

/** For the owner of an account whose password was changed or reset. */
export async function tellPasswordChanged(
  ctx: Context,
  payload: OutboxPayloads['password_changed'],
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, payload.userId)
  return user && passwordChangedMail({ ...payload, to: user.email, locale: user.locale })
}
