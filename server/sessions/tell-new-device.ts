import type { Context } from '../context.ts'
import { type Mail, newDeviceMail } from '../mail/messages.ts'
import type { OutboxPayloads } from '../jobs/outbox.ts'
import { userById } from '../users/users.ts'

/** For the owner of an account that somebody logged in to with a device not seen lately. */
export async function tellNewDevice(
  ctx: Context,
  payload: OutboxPayloads['new_device'],
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, payload.userId)
  return user && newDeviceMail({ ...payload, to: user.email, locale: user.locale })
}
