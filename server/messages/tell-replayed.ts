import type { Context } from '../context.ts'
import { sessionReplayedMail } from './mails.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** For the owner of a session that was ended because a used refresh token came back. */
export async function tellReplayed(
  ctx: Context,
  payload: OutboxPayloads['session_replayed'],
): Promise<Mail | undefined> {
  const user = await ctx.lookUp(userById, payload.userId)
  return (
    user &&
    sessionReplayedMail(ctx.config.shop, { ...payload, to: user.email, locale: user.locale })
  )
}
