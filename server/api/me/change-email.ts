import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { fieldError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { Email } from '../../http/schemas.ts'
import { countMessages, mayRepeat, REPEATS_PER_HOUR } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { HOUR_MS } from '../../lib/units.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { countKeyOf, replaceEmailChange, assertNoneUndoable } from '../../accounts/email-changes.ts'
import { assertOwnPassword, lockProven, type PasswordProof } from '../current-password.ts'
import { commit, type Write } from '../../accounts/write.ts'
import { CurrentPassword, Sentence } from '../schemas.ts'

const message = 'If this address is available, the code is on its way.'

const schema = {
  operationId: 'changeEmail',
  tags: ['Me'],
  summary: 'Change my email address',
  description:
    'Emails a six-digit code to the new address, valid for one hour. The current address stays in use until the code is confirmed. The response does not reveal whether the new address is registered: if the new address belongs to an account, or did less than 72 hours ago, its owner is notified by email and no code is created. For 72 hours after a change of the address the request is refused with `email_change_undoable`. Another request invalidates the previous code. At most one email per minute and five per hour are sent for each user, and five per hour to each address. Beyond these limits the response is the same, no email is sent, and the previous code stays valid.',
  body: Type.Object(
    { email: Email, current_password: CurrentPassword },
    { title: 'EmailChange', additionalProperties: false },
  ),
  response: {
    202: Sentence(message, 'If the address is available, the code is being sent.'),
  },
  errors: ['wrong_password', 'email_change_undoable', 'too_many_requests', 'overloaded'] as const,
}

interface Wanted {
  readonly email: string
  readonly email_canonical: string
  readonly client: Client
}

export function changeEmailRoute(app: App, ctx: Context, guards: Guards): void {
  const { config, onRequest } = guards.user
  const options = { schema, config, onRequest: [onRequest, hashAdmission(ctx).onRequest] }
  app.post('/me/email', options, async (request, reply) => {
    const { email, current_password: password } = request.body
    const emailCanonical = canonicalEmail(email) ?? ''
    assertDifferent(sessionOf(request).user, emailCanonical)
    const proof = await assertOwnPassword(ctx, request, password)
    const wanted = { email, email_canonical: emailCanonical, client: clientOf(request) }
    await commit(ctx, proof.actor.cause, (write) => sendNewCode(write, proof, wanted))
    return reply.code(202).send({ message })
  })
}

/**
 * Writes the same rows for every address, because the worker looks up its owner: timing does not reveal
 * registered addresses. The lock serializes concurrent requests, so that they send one mail.
 */
async function sendNewCode(
  write: Write,
  proof: PasswordProof,
  { client, ...to }: Wanted,
): Promise<void> {
  const { ctx, tx, nowMs, record, enqueue } = write
  const user = await lockProven(write, proof)
  assertDifferent(user, to.email_canonical)
  // One change at a time: a thief could otherwise chain changes until the owner cannot undo them.
  await assertNoneUndoable(write, user.id)
  const [userId, email] = [user.id, countKeyOf(ctx.keys, to.email_canonical)]
  if (ctx.config.rateLimit) {
    // Protects the new address from floods by one user or by many.
    if (!(await mayRepeat(tx, 'email_code', { userId, nowMs }))) return
    const sent = await countMessages(tx, ['email_code'], { email, sinceMs: nowMs - HOUR_MS })
    if (sent >= REPEATS_PER_HOUR) return
  }
  const emailChangeId = await replaceEmailChange(tx, ctx.keys, { user, to, nowMs })
  await enqueue('email_code', { emailChangeId, ...client }, { email, userId })
  const changes = { email_change_id: emailChangeId }
  await record('email.change_requested', { subjectId: userId, changes })
}

function assertDifferent(user: { email_canonical: string }, emailCanonical: string): void {
  if (user.email_canonical === emailCanonical)
    throw fieldError('/email', 'unchanged', 'This is already the address of your account.')
}
