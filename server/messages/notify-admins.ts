import type { AdminAct } from '../accounts/admins.ts'
import { userById } from '../accounts/users.ts'
import type { Context } from '../context.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { writeMail } from './mails.ts'

interface Payload {
  /** The recipient. */
  readonly userId: number
  readonly actorId: number | null
  readonly act: AdminAct
  readonly subjectId: number
  readonly at: string
}

/**
 * Tells an admin what an admin or an operator did; undefined once the recipient is deleted. Addresses are
 * read at delivery: no row keeps that of a deleted user.
 */
export async function notifyAdmin(ctx: Context, payload: Payload): Promise<Mail | undefined> {
  const { userId, actorId, act, subjectId, at } = payload
  const recipient = await ctx.lookUp(userById, userId)
  if (recipient === undefined) return undefined
  const accountOf = async (id: number) => ({
    id,
    email: (await ctx.lookUp(userById, id))?.email ?? null,
  })
  return writeMail(ctx.config.shop, 'adminAct', {
    to: recipient.email,
    locale: recipient.locale,
    at,
    act,
    actor: actorId === null ? null : await accountOf(actorId),
    subject: await accountOf(subjectId),
  })
}
