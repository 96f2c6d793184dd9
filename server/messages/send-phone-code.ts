import type { Context } from '../context.ts'
import { phoneCodeSms } from './sms.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import { codeOf } from '../keys/codes.ts'
import { findPhoneChange } from '../accounts/phone-changes.ts'

/** None once the code was used, replaced or has expired: a dead code helps nobody. */
export async function sendPhoneCode(
  ctx: Context,
  { phoneChangeId }: { phoneChangeId: string },
): Promise<Sms | undefined> {
  const change = await findPhoneChange(ctx.db, phoneChangeId, ctx.now())
  if (change === undefined) return undefined
  const code = codeOf(ctx.keys, 'phone', change)
  if (code === undefined) {
    ctx.log.warn(
      { phone_change_id: change.id },
      'code not sent: its key is missing because SECRET_KEY_PREVIOUS was removed too early',
    )
    return undefined
  }
  return phoneCodeSms(ctx.config.shop, { to: change.phone, code, locale: change.locale })
}
