import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { type PublicUserRow, userById } from '../accounts/users.ts'

/** Throws `not_found`, also for a deleted user, of whom rows may be left until a job has erased them. */
export async function readUser(ctx: Context, id: number): Promise<PublicUserRow> {
  const user = await ctx.lookUp(userById, id)
  if (user === undefined) throw new AppError('not_found')
  return user
}
