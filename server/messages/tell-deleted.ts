import type { Context } from '../context.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import { accountDeletedMail, leftAccountDeletedMail } from './mails.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** For who had an account until a moment ago. One that failed and is sent again holds no address any more. */
export async function tellDeleted(
  ctx: Context,
  payload: Partial<OutboxPayloads['account_deleted']>,
): Promise<Mail | undefined> {
  const { to, locale = null, at, ip = null, userAgent = null, left = false } = payload
  if (to === undefined || at === undefined) return undefined
  return left
    ? leftAccountDeletedMail(ctx.config.shop, { to, locale, at })
    : accountDeletedMail(ctx.config.shop, { to, locale, at, ip, userAgent })
}
