import type { Context } from '../context.ts'
import { verificationMail } from './mails.ts'
import { toIso } from '../lib/units.ts'
import { codeOf } from '../keys/codes.ts'
import { findSignUp } from '../accounts/sign-ups.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

/** The mail of one attempt; none once it was used, dropped or has expired: a dead code helps nobody. */
export async function sendCode(
  ctx: Context,
  payload: { signUpId: string },
): Promise<Mail | undefined> {
  const signUp = await findSignUp(ctx.db, payload.signUpId)
  if (signUp === undefined || signUp.expires_at <= toIso(ctx.now())) return undefined
  const code = codeOf(ctx.keys, 'verify', signUp)
  if (code === undefined) {
    ctx.log.warn(
      { sign_up_id: signUp.id },
      'code not sent: its key is missing because SECRET_KEY_PREVIOUS was removed too early',
    )
    return undefined
  }
  return verificationMail(ctx.config.shop, {
    to: signUp.email,
    code,
    expiresAt: signUp.expires_at,
    signedUpAt: signUp.created_at,
    ip: signUp.ip,
    userAgent: signUp.user_agent,
    locale: signUp.locale,
  })
}
