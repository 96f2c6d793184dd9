import type { Context } from '../context.ts'
import { newDeviceMail } from './mails.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** For the owner of an account that somebody logged in to with a device not seen lately. */
export async function tellNewDevice(
  ctx: Context,
  payload: OutboxPayloads['new_device'],
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, payload.userId)
  return user && newDeviceMail(ctx.config.shop, { ...payload, to: user.email, locale: user.locale })
}
