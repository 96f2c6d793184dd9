import type { Context } from '../context.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { Counted } from '../outbox/outbox.ts'

/** When an account that nobody verified is over. */
export function verificationExpiresAt(ctx: Context, user: { created_at: string }): string {
  return toIso(Date.parse(user.created_at) + ctx.config.unverifiedLifetimeMs)
}

/** Accounts made at this time or before have too little time left for a code that is mailed now. */
export function replacementCutoff(ctx: Context): string {
  const { unverifiedLifetimeMs } = ctx.config
  const tooLittleMs = Math.min(HOUR_MS, unverifiedLifetimeMs / 2)
  return toIso(ctx.now() - unverifiedLifetimeMs + tooLittleMs)
}

/** Mails that a sign-up of an address causes, known or not. */
export const SIGN_UP_MAILS = ['verification', 'already_registered'] as const

/** Sign-up mails written after this time count for their address, with HIDE_REGISTERED_EMAILS. */
export function signUpsCountedSinceMs(ctx: Context): number {
  return ctx.now() - ctx.config.codeLifetimeMs
}

/**
 * What `forgetMessagesOf` leaves, with HIDE_REGISTERED_EMAILS: else a sixth sign-up after a deletion would
 * tell an address that was registered from one that was not.
 */
export function keptOfDeleted(ctx: Context): Counted | undefined {
  if (!ctx.config.hideRegisteredEmails) return undefined
  return { kinds: SIGN_UP_MAILS, sinceMs: signUpsCountedSinceMs(ctx) }
}

/** Accounts made at this time or before, and still unverified, count as gone. */
export function expiryCutoff(ctx: Context): string {
  return toIso(ctx.now() - ctx.config.unverifiedLifetimeMs)
}
