import type { Context } from '../context.ts'
import type { PublicUserRow, Role } from '../database/schema.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { toIso } from '../lib/units.ts'
import { mayNotify } from '../outbox/outbox.ts'
import { insertVerifiedUser } from './addresses.ts'
import { isEmailReserved } from './email-changes.ts'
import { findActiveAdmins, hasActiveAdmin, lockUserByEmail } from './users.ts'
import { commit, NO_CAUSE, type Write } from './write.ts'
import { erase } from './erase.ts'

/**
 * Creates the admin configured by ADMIN_EMAIL and ADMIN_PASSWORD unless an active admin exists. Replaces
 * an unverified account of that address, whose owner has proven nothing. Never promotes a verified one,
 * because an address alone grants no rights; the log names the command that does.
 */
export async function makeFirstAdmin(ctx: Context, email: string, password: string): Promise<void> {
  if (await hasActiveAdmin(ctx.db)) return
  const emailCanonical = canonicalEmail(email) ?? ''
  const passwordHash = await ctx.hasher.hash(password)
  const outcome = await commit(ctx, NO_CAUSE, async (write) => {
    const { tx, nowMs } = write
    const existing = await lockUserByEmail(tx, emailCanonical)
    if (await hasActiveAdmin(tx)) return 'exists' as const
    if (existing?.verified_at != null) return 'verified' as const
    const admin = { email, emailCanonical, fullName: null, passwordHash, role: 'admin' as const }
    const made = await makeUser(write, admin)
    if (made !== undefined) return 'made' as const
    const reserved = await isEmailReserved(tx, emailCanonical, nowMs)
    return reserved ? ('reserved' as const) : ('exists' as const)
  })
  if (outcome === 'made') ctx.log.info('first admin created from ADMIN_EMAIL')
  if (outcome === 'reserved') {
    ctx.log.warn(
      'ADMIN_EMAIL is reserved for the user who gave it up less than 72 hours ago; choose another address',
    )
  }
  if (outcome === 'verified') {
    ctx.log.warn(
      'ADMIN_EMAIL belongs to a user; to promote that user: npm run cli -- users set-role <email> admin',
    )
  }
}

interface MadeUser {
  readonly email: string
  readonly emailCanonical: string
  readonly fullName: string | null
  readonly passwordHash: string
  readonly role: Role
}

/**
 * Creates a verified account for an operator; undefined when the address is taken. Replaces an unverified
 * account of that address: its owner has proven nothing.
 */
export async function makeUser(
  write: Write,
  { email, emailCanonical, ...account }: MadeUser,
): Promise<PublicUserRow | undefined> {
  const { tx, nowMs, record } = write
  const existing = await lockUserByEmail(tx, emailCanonical)
  if (existing?.verified_at === null) await erase(write, [existing])
  // Before there is one more, who needs no mail.
  const admins = account.role === 'admin' ? await findActiveAdmins(tx, NOTIFIED_MAX) : []
  const user = await insertVerifiedUser(tx, { email, emailCanonical, nowMs }, account)
  if (user === undefined) return undefined
  await record('user.created', { subjectId: user.id, changes: { role: user.role } })
  const acted = { actorId: null, act: 'promoted', subjectId: user.id } as const
  if (user.role === 'admin') await notifyAdmins(write, admins, acted)
  return user
}

export type AdminAct =
  | 'invited'
  | 'uninvited'
  | 'promoted'
  | 'demoted'
  | 'disabled'
  | 'enabled'
  | 'deleted'

/** An act of an admin, or of an operator, who has no id. */
interface Acted {
  readonly actorId: number | null
  readonly act: AdminAct
  readonly subjectId: number
}

const NOTIFIED_MAX = 20

/**
 * Mails an act to those who were active admins before it, because a token of one of them may be stolen: to
 * at most twenty, the actor and the subject, then the oldest accounts.
 */
export async function notifyAdmins(
  { ctx, tx, nowMs, enqueue }: Write,
  admins: readonly number[],
  acted: Acted,
): Promise<void> {
  const { actorId, act, subjectId } = acted
  const kind = act === 'deleted' && !admins.includes(subjectId) ? 'user_deleted' : 'admin_changed'
  const left = act === 'deleted' ? admins.filter((id) => id !== subjectId) : admins
  const isConcerned = (id: number) => id === actorId || id === subjectId
  const others = left.filter((id) => !isConcerned(id))
  const recipients = [...left.filter(isConcerned), ...others].slice(0, NOTIFIED_MAX)
  // An admin may delete many customers: the mail points to the audit log.
  const isBounded = kind === 'user_deleted' && ctx.config.rateLimit
  for (const userId of recipients) {
    if (isBounded && !(await mayNotify(tx, kind, { userId, nowMs }))) continue
    await enqueue(kind, { ...acted, userId, at: toIso(nowMs) }, { userId })
  }
}
