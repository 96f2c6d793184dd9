import type { Context } from '../context.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { Counted } from '../outbox/forget.ts'
import type { ShownUserRow } from '../database/schema.ts'
import type { Cutoff } from './users.ts'

/** When an unverified account expires: after its lifetime, but not before its invitation. */
export function verificationExpiresAt(
  ctx: Context,
  user: Pick<ShownUserRow, 'created_at' | 'invited_until'>,
): string {
  const endsAt = toIso(Date.parse(user.created_at) + ctx.config.unverifiedLifetimeMs)
  const { invited_until: until } = user
  return until === null || until < endsAt ? endsAt : until
}

/** Accounts that expire too soon for a code that is mailed now, but none while its invitation lasts. */
export function replacementCutoff(ctx: Context): Cutoff {
  const nowMs = ctx.now()
  const soonMs = nowMs + Math.min(HOUR_MS, ctx.config.unverifiedLifetimeMs / 2)
  // Otherwise a stranger's sign-up would end an invitation in its last hour.
  return { ...expiryCutoff(ctx, soonMs), invitedUntil: toIso(nowMs) }
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

/** Unverified accounts that have expired by then count as deleted. */
export function expiryCutoff(ctx: Context, atMs: number = ctx.now()): Cutoff {
  return { createdAt: toIso(atMs - ctx.config.unverifiedLifetimeMs), invitedUntil: toIso(atMs) }
}
