import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { forgetTextsOf } from '../../outbox/outbox.ts'
import { newSecret } from '../../lib/random.ts'
import { toIso } from '../../lib/units.ts'
import { readLinkToken } from '../../keys/links.ts'
import {
  type EmailChangeRow,
  findEmailChange,
  isUndoable,
  undoEmailChange,
} from '../../accounts/email-changes.ts'
import { enqueuePasswordReset } from '../../accounts/resets.ts'
import { setPassword } from '../../accounts/passwords.ts'
import { moveUser } from '../../accounts/user-moves.ts'
import { lockUser, type PublicUserRow, setPhone } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'
import { Sentence, LinkToken } from '../schemas.ts'

const message =
  'The address was restored and all sessions were ended. Set a new password with the emailed link.'

const schema = {
  operationId: 'undoEmailChange',
  tags: ['Authentication'],
  summary: 'Undo a change of the email address with the emailed link',
  description:
    'The token is the part after `#undo=` in the link that was emailed to the previous address. It works once, for 72 hours. The request restores that address, reverts all later changes of the address and invalidates their links. It ends every session and disables the password, because the person who changed the address knew it; a link to set a new password is emailed. Pending codes become invalid, and a phone number confirmed after the change is removed.',
  body: Type.Object(
    {
      token: LinkToken('The token from the email to the previous address.'),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Sentence(message, 'The address was restored. A link to set a new password is being sent.'),
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
    // A random password that is discarded disables the old one.
    const passwordHash = await hashingFor(ctx, request, change.user_id).hash(newSecret())
    await commit(ctx, causeOf(request), (write) => undo(write, change, passwordHash))
    return { message }
  })
}

/** Throws `invalid_undo_token` when the change has been undone or the account deleted. */
async function undo(write: Write, change: EmailChangeRow, passwordHash: string): Promise<void> {
  const { tx, nowMs, record, enqueue } = write
  const user = await lockUser(tx, change.user_id)
  if (user === undefined || !(await undoEmailChange(tx, change, nowMs)))
    throw new AppError('invalid_undo_token')
  // Changed before the address is restored, so that a concurrent login with the old password fails.
  await setPassword(tx, user, { passwordHash, nowMs })
  const { old_email: email, old_email_canonical: emailCanonical } = change
  const ended = await moveUser(write, user, { email, emailCanonical })
  // Taken already: possible only if the clock of another replica is ahead.
  if (ended === undefined) throw new AppError('invalid_undo_token')

  const { id: userId, email: to, email_canonical: former, locale } = user
  const changes = { email_change_id: change.id, sessions_ended: ended }
  await record('email.change_undone', { subjectId: userId, changes })
  await removePhoneSince(write, user, change)
  await enqueuePasswordReset(write, emailCanonical)
  await enqueue('email_undone', { to, locale, at: toIso(nowMs) }, { userId, email: former })
}

/** A number that was confirmed after the change may be the thief's. */
async function removePhoneSince(
  { tx, nowMs, record }: Write,
  { id, phone_verified_at: verifiedAt }: PublicUserRow,
  { confirmed_at: changedAt }: EmailChangeRow,
): Promise<void> {
  if (verifiedAt === null || changedAt === null || verifiedAt < changedAt) return
  await setPhone(tx, id, { phone: null, nowMs })
  await forgetTextsOf(tx, id, nowMs)
  await record('phone.removed', { subjectId: id })
}
