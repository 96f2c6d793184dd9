import { Type } from 'typebox'
import { NullableText, Time } from '../../http/schemas.ts'
import { MAIL_STATES, findMail, type MailRow } from '../../outbox/mails.ts'
import { commit, NO_CAUSE } from '../../accounts/write.ts'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Cause } from '../../http/client.ts'
import { reviveMessage } from '../../outbox/outcomes.ts'

const nullableTime = (description: string) =>
  Type.Unsafe<string | null>({ ...Time(description), type: ['string', 'null'] })

export const Mail = Type.Object(
  {
    id: Type.String({
      format: 'uuid',
      description:
        'The same for every delivery attempt; the `Message-ID` of an email begins with it.',
      examples: ['0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'],
    }),
    kind: Type.String({ description: 'The kind of message.', examples: ['verification'] }),
    channel: Type.Enum(['mail', 'sms']),
    state: Type.Enum([...MAIL_STATES], {
      description:
        '`waiting`: queued. `sent`: accepted by the transport. `dropped`: obsolete before it was sent. `bounced`: rejected permanently. `dead`: retries exhausted. Bounced and dead messages can be resent.',
    }),
    recipient: NullableText(
      'The recipient of the last delivery attempt. Null before the first attempt, after the user was deleted, and for `email_code`, whose address may belong to someone else.',
      ['ann@example.com'],
    ),
    user_id: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'The user that the message belongs to, if known.',
      examples: [42],
    }),
    created_at: Time('Creation time.'),
    due_at: Time('Time of the next delivery attempt.'),
    finished_at: nullableTime('Time when delivery ended; null while the message is waiting.'),
    claims: Type.Integer({
      description: 'The number of times that a worker claimed the message.',
      examples: [1],
    }),
    refusals: Type.Integer({
      description: 'The number of times that delivery was deferred.',
      examples: [0],
    }),
    last_error: NullableText('The error of the last delivery attempt.', ['550 5.1.1 no such user']),
  },
  { title: 'Message', additionalProperties: false, description: 'An email or text message.' },
)

/**
 * Requeues a failed message for immediate delivery, records the actor, and returns the new row. Throws
 * `not_found`, `mail_not_failed`.
 */
export async function resendMail(
  ctx: Context,
  id: string,
  cause: Partial<Cause> = NO_CAUSE,
): Promise<MailRow> {
  const mail = await commit(ctx, cause, async ({ tx, nowMs, record }) => {
    const revived = await reviveMessage(tx, id, nowMs)
    const found = await findMail(tx, id)
    if (found === undefined) throw new AppError('not_found')
    if (!revived) throw new AppError('mail_not_failed')
    const changes = { mail_id: id, kind: found.kind }
    const { user_id: subjectId } = found
    await record('mail.resent', { changes, ...(subjectId !== null && { subjectId }) })
    return found
  })
  ctx.wakeMail()
  return mail
}
