import { Type } from 'typebox'
import { NullableText, Time } from '../../http/schemas.ts'
import { MAIL_STATES } from '../../outbox/mails.ts'

const nullableTime = (description: string) =>
  Type.Unsafe<string | null>({ ...Time(description), type: ['string', 'null'] })

export const Mail = Type.Object(
  {
    id: Type.String({
      format: 'uuid',
      description: 'The same for every try; the Message-ID of a mail begins with it.',
      examples: ['0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'],
    }),
    kind: Type.String({ description: 'What it is about.', examples: ['verification'] }),
    channel: Type.Enum(['mail', 'sms']),
    state: Type.Enum([...MAIL_STATES], {
      description:
        '`dropped`: there was nothing to send any more. `bounced`: refused for good. `dead`: given up. The last two can be sent again.',
    }),
    recipient: NullableText(
      'Where the last try went; null before it, once the user is gone, and for `email_code`: that address may be anybody’s.',
      ['ann@example.com'],
    ),
    user_id: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'Whose it is, where that is known.',
      examples: [42],
    }),
    created_at: Time('When it was written.'),
    due_at: Time('When it may be tried next, or could be.'),
    finished_at: nullableTime('When it ended; null while it waits.'),
    claims: Type.Integer({ description: 'How often a worker took it up.', examples: [1] }),
    refusals: Type.Integer({ description: 'How often it was put off.', examples: [0] }),
    last_error: NullableText('Why the last try failed.', ['550 5.1.1 no such user']),
  },
  { additionalProperties: false, description: 'A message that is to be sent, or was.' },
)
