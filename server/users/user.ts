import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import { E164, NullableText, SIX_DIGITS, Time } from '../http/schemas.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { PublicUserRow } from './users.ts'

const FULL_NAME_MAX_LENGTH = 200
/** Controls, bidi embeddings, overrides and isolates, line and paragraph separators. */
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

export const FullName = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  minLength: 1,
  maxLength: 4 * FULL_NAME_MAX_LENGTH,
  description:
    'At most 200 characters, none of them a control, line or bidi character. null: no name.',
  examples: ['Ann Lee'],
})

/** NFC. Throws `validation_failed` for a name that is too long or holds what could disguise a line. */
export function normalFullName(typed: string | null): string | null {
  if (typed === null) return null
  const name = typed.normalize('NFC')
  if (NOT_IN_NAMES.test(name)) {
    throw fieldError(
      '/full_name',
      'characters',
      'Control, line and bidi characters are not allowed in a name.',
    )
  }
  if ([...name].length > FULL_NAME_MAX_LENGTH) {
    throw fieldError(
      '/full_name',
      'maxLength',
      `This must be at most ${FULL_NAME_MAX_LENGTH} characters long.`,
    )
  }
  return name
}

/** Six digits. Never trimmed or converted: what is typed is compared. */
export const Code = Type.String({
  pattern: SIX_DIGITS,
  description: 'Six digits.',
  examples: ['042137'],
})

export const Phone = Type.String({
  pattern: E164,
  description: 'E.164: + and 7 to 15 digits, beginning with the country’s code.',
  examples: ['+4915123456789'],
})

export const User = Type.Object(
  {
    id: Type.Integer({ description: 'Never reused.', examples: [42] }),
    email: Type.String({ description: 'As its owner typed it.', examples: ['ann@example.com'] }),
    full_name: NullableText('null while unverified, or when none was given.', ['Ann Lee']),
    phone: NullableText('Only once a code sent to it was confirmed; E.164.', ['+4915123456789']),
    role: Type.Enum(['user', 'admin'], { type: 'string' }),
    is_verified: Type.Boolean(),
    disabled: Type.Boolean(),
    created_at: Time('When the account was made.'),
    updated_at: Time('When the account was changed last.'),
    verification_expires_at: Type.Optional(
      Time('Only while unverified: when the account will be deleted.'),
    ),
  },
  { additionalProperties: false, description: 'A user.' },
)

/** A user as everybody who may see it sees it. */
export function toUser(ctx: Context, row: PublicUserRow) {
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
    ...(row.verified_at === null
      ? { verification_expires_at: verificationExpiresAt(ctx, row) }
      : {}),
  }
}

/** When an account that nobody verified is over. */
export function verificationExpiresAt(ctx: Context, user: { created_at: string }): string {
  return toIso(Date.parse(user.created_at) + ctx.config.unverifiedLifetimeMs)
}

/** Accounts made at this time or before have too little time left for a code that is mailed now. */
export function replacementCutoff(ctx: Context): string {
  const { unverifiedLifetimeMs } = ctx.config
  const tooLittleMs = Math.min(HOUR_MS, unverifiedLifetimeMs / 2)
  return toIso(ctx.now() - unverifiedLifetimeMs + tooLittleMs)
}

/** Sign-up mails written after this time count for their address, with HIDE_REGISTERED_EMAILS. */
export function signUpsCountedSinceMs(ctx: Context): number {
  return ctx.now() - ctx.config.codeLifetimeMs
}

/**
 * What `forgetMessagesOf` leaves, with HIDE_REGISTERED_EMAILS: else a sixth sign-up after a deletion would
 * tell an address that was registered from one that was not.
 */
export function keptOfDeleted(ctx: Context): { countedSinceMs?: number } {
  return ctx.config.hideRegisteredEmails ? { countedSinceMs: signUpsCountedSinceMs(ctx) } : {}
}

/** Accounts made at this time or before, and still unverified, count as gone. */
export function expiryCutoff(ctx: Context): string {
  return toIso(ctx.now() - ctx.config.unverifiedLifetimeMs)
}
