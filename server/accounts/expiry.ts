import type { Context } from '../context.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { Counted } from '../outbox/forget.ts'

/** When an unverified account expires. */
export function verificationExpiresAt(ctx: Context, user: { created_at: string }): string {
  return toIso(Date.parse(user.created_at) + ctx.config.unverifiedLifetimeMs)
}

/** Accounts created at this time or before expire too soon for a code that is mailed now. */
export function replacementCutoff(ctx: Context): string {
  const { unverifiedLifetimeMs } = ctx.config
  const tooLittleMs = Math.min(HOUR_MS, unverifiedLifetimeMs / 2)
  return toIso(ctx.now() - unverifiedLifetimeMs + tooLittleMs)
}

/** The mails that a sign-up can cause, for unknown and registered addresses. */
export const SIGN_UP_MAILS = ['verification', 'already_registered'] as const

/** With HIDE_REGISTERED_EMAILS, sign-up mails created after this time count against their address. */
export function signUpsCountedSinceMs(ctx: Context): number {
  return ctx.now() - ctx.config.codeLifetimeMs
}

/**
 * The mails that `forgetMessages` keeps with HIDE_REGISTERED_EMAILS: otherwise a sixth sign-up after
 * a deletion would reveal whether the address had been registered.
 */
export function retainedSignUpMails(ctx: Context): Counted | undefined {
  if (!ctx.config.hideRegisteredEmails) return undefined
  return { kinds: SIGN_UP_MAILS, sinceMs: signUpsCountedSinceMs(ctx) }
}

/** Unverified accounts created at this time or before count as deleted. */
export function expiryCutoff(ctx: Context): string {
  return toIso(ctx.now() - ctx.config.unverifiedLifetimeMs)
}
