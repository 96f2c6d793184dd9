import type { Context } from '../context.ts'
import type { SignedIn } from '../http/fastify.ts'
import { unlockLogins } from '../accounts/users.ts'
import { commit, NO_CAUSE } from '../accounts/write.ts'
import { lockForChange } from './user-changes.ts'

/**
 * Lifts the lock after wrong passwords, for the API and the command line. Takes effect in every process at
 * the next login. Throws `not_found`; with an actor, also `invalid_token` or `forbidden`.
 */
export function unlockLogin(ctx: Context, id: number, actor?: SignedIn): Promise<void> {
  return commit(ctx, actor?.cause ?? NO_CAUSE, async (write) => {
    await lockForChange(write, id, { actor, touchesRights: false, access: 'admin' })
    await unlockLogins(write.tx, id, write.nowMs)
    await write.record('login.unlocked', { subjectId: id })
  })
}
