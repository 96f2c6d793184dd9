import { Type } from 'typebox'

/** An RFC 3339 time in UTC with milliseconds. */
export const Time = (description: string, example = '2026-11-22T17:40:00.000Z') =>
  Type.String({ format: 'date-time', description, examples: [example] })

/** A type array instead of a union: serialising a union validates each value first. */
export const NullableText = (description: string, examples: readonly (string | null)[]) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description, examples })

export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  description: 'Case-insensitive. The local part must be ASCII.',
  examples: ['ann@example.com'],
})

/** problem.ts has a detail for each of these patterns. */
export const SIX_DIGITS = '^[0-9]{6}$'
export const E164 = '^\\+[1-9][0-9]{6,14}$'

export const Uuid = (description: string) =>
  Type.String({ format: 'uuid', description, examples: ['0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'] })

export const UserIdParams = Type.Object(
  { id: Type.Integer({ minimum: 1, description: 'The id of the user.', examples: [42] }) },
  { additionalProperties: false },
)
