import type { Context } from '../context.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { isEmailReserved } from './email-changes.ts'
import { makeUser } from './user-changes.ts'
import { hasActiveAdmin, lockUserByEmail } from './users.ts'

/**
 * Makes the admin that ADMIN_EMAIL and ADMIN_PASSWORD name, if there is none yet. An account of that
 * address that nobody verified is replaced: whoever began it proved nothing. A verified one is left
 * as it is, for an address alone gives no rights; the log names the command that does.
 */
export async function makeFirstAdmin(ctx: Context, email: string, password: string): Promise<void> {
  if (await hasActiveAdmin(ctx.db)) return
  const emailCanonical = canonicalEmail(email) ?? ''
  const passwordHash = await ctx.hasher.hash(password)
  const outcome = await ctx.transaction(async (tx) => {
    const existing = await lockUserByEmail(tx, emailCanonical)
    if (await hasActiveAdmin(tx)) return 'exists' as const
    if (existing?.verified_at != null) return 'verified' as const
    const admin = { email, emailCanonical, fullName: null, passwordHash, role: 'admin' as const }
    const made = await makeUser(ctx, tx, admin)
    if (made !== undefined) return 'made' as const
    const reserved = await isEmailReserved(tx, emailCanonical, ctx.now())
    return reserved ? ('reserved' as const) : ('exists' as const)
  })
  if (outcome === 'made') ctx.log.info('first admin made from ADMIN_EMAIL')
  if (outcome === 'reserved') {
    ctx.log.warn(
      'ADMIN_EMAIL is kept for the user who left it less than 72 hours ago; name another address',
    )
  }
  if (outcome === 'verified') {
    ctx.log.warn(
      'ADMIN_EMAIL belongs to a user; to make it an admin: npm run cli -- users set-role <email> admin',
    )
  }
}
