import { type ErrorCode, ShopError } from '../../client/index.ts'
import { SETUP, T } from './setup.ts'

/** What to do now, in the reader’s language. */
export function sentenceFor(error: Error, waitS = waitOf(error)): string {
  if (!(error instanceof ShopError)) return T.problems.internal_error
  return (sentenceOf(error) ?? error.message).replace('{wait}', T.wait(waitS))
}

/**
 * Seconds that the sentence tells to wait; 0 if it tells something else, as of a locked login, which
 * another device or a reset opens at once.
 */
export function waitOf(error: Error | null): number {
  if (!(error instanceof ShopError) || !sentenceOf(error)?.includes('{wait}')) return 0
  return error.retryAfterS ?? 60
}

/** A newer server may have codes that this page does not know. */
function sentenceOf({ code }: ShopError): string | undefined {
  return T.problems[code]
}

/** Of a field that the page itself refuses, as the API would. */
export function refusal(pointer: string, detail: string): ShopError {
  return new ShopError('validation_failed', { errors: [{ pointer, code: 'page', detail }] })
}

/** The field that the code of a refusal is about. */
const FIELDS: Partial<Record<ErrorCode, string>> = {
  invalid_code: '/code',
  wrong_password: '/current_password',
}

/** Why the field that the JSON pointer names was refused; undefined if it was not. */
export function refusalOf(error: Error | null, pointer: string): string | undefined {
  if (!(error instanceof ShopError)) return undefined
  if (FIELDS[error.code] === pointer) return sentenceFor(error)
  const refused = error.errors.find((one) => one.pointer === pointer)
  if (refused === undefined) return undefined
  // The minimum for admins is longer than the page knows; the API reports it.
  const min = /\d+/.exec(refused.detail)?.[0] ?? SETUP.minLength
  const reasons: Readonly<Record<string, string>> = T.refusals
  const sentence = reasons[refused.code + pointer] ?? reasons[refused.code] ?? refused.detail
  return sentence.replace('{min}', min).replace('{detail}', refused.detail)
}
