import type { ShownUserRow } from '../database/schema.ts'
import { Type } from 'typebox'
import { verificationExpiresAt } from '../accounts/expiry.ts'
import { FULL_NAME_MAX_LENGTH } from '../accounts/names.ts'
import type { Context } from '../context.ts'
import { E164, NullableText, SIX_DIGITS, Time, Uuid } from '../http/schemas.ts'

export const FullName = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  minLength: 1,
  maxLength: 4 * FULL_NAME_MAX_LENGTH,
  description:
    'At most 200 characters; control, line break and bidi characters are not allowed. null means no name.',
  examples: ['Ann Lee'],
})

/** Any text; `assertGoodPassword` checks new passwords. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'The password is neither trimmed nor truncated. It is compared in Unicode NFC.',
  examples: ['correct horse battery staple'],
})

/** A password that the route sets. */
export const NewPassword = Type.String({
  ...Password,
  description:
    'At least 8 characters by default (PASSWORD_MIN_LENGTH), 15 for admins; at most 256 characters. Common and leaked passwords, and passwords that consist of the user’s address or name, are rejected with a code in errors. The password is neither trimmed nor truncated and is compared in Unicode NFC.',
})

/** The example is a wrong password, so that sending the documented request changes nothing. */
export const CurrentPassword = Type.String({ ...Password, examples: ['your current password'] })

/** The body of a request that needs nothing else; the route allows none. */
export const OptionalProof = Type.Optional(
  Type.Object(
    { current_password: Type.Optional(CurrentPassword) },
    { additionalProperties: false },
  ),
)

/** Six digits, neither trimmed nor converted. */
export const Code = Type.String({
  pattern: SIX_DIGITS,
  description: 'Six digits.',
  examples: ['042137'],
})

/** The token of a mailed link. */
export const LinkToken = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 512,
    description,
    examples: [`0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`],
  })

/** An answer of one sentence. */
export const Sentence = (message: string, description: string) =>
  Type.Object({ message: Type.String({ examples: [message] }) }, { description })

export const Phone = Type.String({
  pattern: E164,
  description: 'Phone number in E.164 format: `+`, country code and number, 7 to 15 digits.',
  examples: ['+12025550123'],
})

/** What the user and admins see of a session. */
export const SESSION_FIELDS = {
  id: Uuid('Identifies the session, for example to end it.'),
  created_at: Time('Time of the login.'),
  last_seen_at: Time('Time of the login or the latest refresh.'),
  ip: NullableText('Client address of the login or the latest refresh, if known.', [
    '203.0.113.7',
    null,
  ]),
  user_agent: NullableText('`User-Agent` of the login or the latest refresh.', [
    'CoffeeApp/2.1',
    null,
  ]),
}

export const User = Type.Object(
  {
    id: Type.Integer({ description: 'Ids are never reused.', examples: [42] }),
    email: Type.String({
      description: 'The address as the user entered it.',
      examples: ['ann@example.com'],
    }),
    full_name: NullableText(
      'Null if no name was given; of an unverified account, the name in the invitation.',
      ['Ann Lee'],
    ),
    phone: NullableText('The confirmed phone number in E.164 format.', ['+12025550123']),
    role: Type.Enum(['user', 'admin'], { type: 'string' }),
    is_verified: Type.Boolean(),
    disabled: Type.Boolean(),
    created_at: Time('Creation time of the account.'),
    updated_at: Time('Time of the last change.'),
    invited_role: Type.Optional(
      Type.Enum(['user', 'admin'], {
        type: 'string',
        description:
          'Only while an invitation is not accepted: the role that accepting it gives. Until then `role` is `user`.',
      }),
    ),
    verification_expires_at: Type.Optional(
      Time(
        'Only while unverified: the time when the account will be deleted, and when an invitation ends.',
        '2026-11-24T17:40:00.000Z',
      ),
    ),
  },
  { title: 'User', additionalProperties: false, description: 'A user.' },
)

/** The same representation for every client that may read the user. */
export function toUser(ctx: Context, row: ShownUserRow) {
  return {
    id: row.id,
    email: row.email,
    full_name: row.full_name,
    phone: row.phone,
    role: row.role,
    is_verified: row.verified_at !== null,
    disabled: row.disabled_at !== null,
    created_at: row.created_at,
    updated_at: row.updated_at,
    ...(row.verified_at === null ? whileUnverified(ctx, row) : {}),
  }
}

function whileUnverified(ctx: Context, row: ShownUserRow) {
  return {
    ...(row.invited_role === null ? {} : { invited_role: row.invited_role }),
    verification_expires_at: verificationExpiresAt(ctx, row),
  }
}
