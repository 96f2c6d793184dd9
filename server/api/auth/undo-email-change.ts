import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { recordEvent } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { type Cause, causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { enqueueMail, forgetTextsOf } from '../../outbox/outbox.ts'
import { newSecret } from '../../lib/random.ts'
import { toIso } from '../../lib/units.ts'
import { readLinkToken } from '../../keys/links.ts'
import {
  type EmailChangeRow,
  findEmailChange,
  isUndoable,
  undoEmailChange,
} from '../../accounts/email-changes.ts'
import { requestPasswordReset } from '../../accounts/resets.ts'
import { setPassword } from '../current-password.ts'
import { moveUser } from '../../accounts/user-moves.ts'
import { lockUser, type PublicUserRow, setPhone } from '../../accounts/users.ts'

const message = 'The address is back and every session ended. Set a new password by the mail to it.'

const schema = {
  operationId: 'undoEmailChange',
  tags: ['Authentication'],
  summary: 'Undo a change of the email address with the mailed link',
  description:
    'The token is what follows `#undo=` in the link that the address before was mailed; it works once, for 72 hours. Brings that address back, whatever changes followed, and their links become void. Every session ends and the password stops working, for whoever changed the address knew it: a link to set a new one is mailed. Whatever waits for a code becomes void, and a phone number that was confirmed since the change is removed.',
  body: Type.Object(
    {
      token: Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'From the mail to the address before.',
        examples: [`0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`],
      }),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      { message: Type.String({ examples: [message] }) },
      { description: 'The link to set a new password is on its way.' },
    ),
  },
  errors: ['invalid_undo_token', 'overloaded'] as const,
}

export function undoEmailChangeRoute(app: App, ctx: Context): void {
  const config = { limits: ['undo_network'] } as const
  app.post('/auth/email/undo', { schema, config, ...hashAdmission(ctx) }, async (request) => {
    const named = readLinkToken(ctx.keys, 'undo', request.body.token)
    const change = named && (await findEmailChange(ctx.db, named.id))
    if (!change || change.key_id !== named.keyId || !isUndoable(change, ctx.now()))
      throw new AppError('invalid_undo_token')
    // Of a password that nobody knows, and that nobody will.
    const passwordHash = await ctx.hasher.hash(newSecret(), { signal: request.state.hangUp })
    await ctx.transaction((tx) => undo(ctx, tx, change, { passwordHash, request }))
    ctx.wakeMail()
    return { message }
  })
}

/** Throws `invalid_undo_token` when it was undone meanwhile, or the account is gone. */
async function undo(
  ctx: Context,
  tx: Tx,
  change: EmailChangeRow,
  { passwordHash, request }: { passwordHash: string; request: FastifyRequest },
): Promise<void> {
  const nowMs = ctx.now()
  const user = await lockUser(tx, change.user_id)
  if (user === undefined || !(await undoEmailChange(tx, change, nowMs)))
    throw new AppError('invalid_undo_token')
  // Before the address is back: a login that knew the old password finds it changed under the lock.
  await setPassword(tx, user, { passwordHash, nowMs })
  const { old_email: email, old_email_canonical: emailCanonical } = change
  const ended = await moveUser(tx, user, { email, emailCanonical, nowMs })
  // Only where another replica's clock runs ahead of ours can somebody have it already.
  if (ended === undefined) throw new AppError('invalid_undo_token')

  const { id: userId, email: to, email_canonical: left, locale } = user
  const changes = { email_change_id: change.id, sessions_ended: ended }
  const cause = causeOf(request)
  const event = { event: 'email.change_undone', subjectId: userId, ...cause } as const
  await recordEvent(tx, { ...event, changes }, nowMs)
  await dropPhoneSince(tx, user, { change, cause, nowMs })
  await requestPasswordReset(ctx, tx, emailCanonical)
  const payload = { to, locale, at: toIso(nowMs) }
  await enqueueMail(tx, 'email_undone', payload, { nowMs, userId, email: left })
}

/** A number that was proved after the change is whoever's made it. */
async function dropPhoneSince(
  tx: Tx,
  { id, phone_verified_at: provedAt }: PublicUserRow,
  { change, cause, nowMs }: { change: EmailChangeRow; cause: Cause; nowMs: number },
): Promise<void> {
  if (provedAt === null || change.confirmed_at === null || provedAt < change.confirmed_at) return
  await setPhone(tx, id, { phone: null, nowMs })
  await forgetTextsOf(tx, id, nowMs)
  await recordEvent(tx, { event: 'phone.removed', subjectId: id, ...cause }, nowMs)
}
