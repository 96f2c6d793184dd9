import { ShopError } from '../../client/index.ts'
import { SETUP, T } from './setup.ts'

/** What to do now, in the reader’s language. */
export function sentenceFor(error: Error): string {
  if (!(error instanceof ShopError)) return T.problems.internal_error
  // A newer server may have codes that this page does not know.
  const sentence: string | undefined = T.problems[error.code]
  return (sentence ?? error.message).replace('{wait}', T.wait(error.retryAfterS ?? 60))
}

/** Why the field that the JSON pointer names was refused; undefined if it was not. */
export function refusalOf(error: Error | null, pointer: string): string | undefined {
  if (!(error instanceof ShopError) || error.code !== 'validation_failed') return undefined
  const refused = error.errors.find((one) => one.pointer === pointer)
  if (refused === undefined) return undefined
  // The minimum for admins is longer than the page knows; the API reports it.
  const min = /\d+/.exec(refused.detail)?.[0] ?? SETUP.minLength
  const reasons: Readonly<Record<string, string>> = T.refusals
  const sentence = reasons[refused.code] ?? refused.detail
  return sentence.replace('{min}', min).replace('{detail}', refused.detail)
}
