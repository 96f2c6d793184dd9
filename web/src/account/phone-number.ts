/** Spaces and marks of any kind, and the zero in brackets that is dialled only inside a country. */
const BETWEEN_DIGITS = /\(0\)|[\s()./\p{Pd}\p{Cf}]/gu

/** E.164 of a number as people write it, with `00` for `+`; undefined without a country code. */
export function phoneNumberOf(typed: string): string | undefined {
  const number = typed.replaceAll(BETWEEN_DIGITS, '').replace(/^00/, '+')
  return /^\+[1-9][0-9]{6,14}$/.test(number) ? number : undefined
}
