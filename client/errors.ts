import type { components } from './schema.ts'

type Problem = components['schemas']['Problem']

/** The codes of the service, and `unreachable` for all that kept it from answering: offline, a broken proxy. */
export type ErrorCode = Problem['code'] | 'unreachable'

/** An invalid field: `pointer` is a JSON pointer into the body, or the name of a parameter. */
export type FieldError = NonNullable<Problem['errors']>[number]

interface Details extends ErrorOptions {
  readonly detail?: string
  readonly status?: number | undefined
  readonly errors?: readonly FieldError[] | undefined
  readonly requestId?: string | undefined
  readonly retryAfterS?: number | undefined
}

/** A refusal. Returned as a value; its message is one sentence for a person. */
export class ShopError extends Error {
  override readonly name = 'ShopError'
  readonly code: ErrorCode
  /** Undefined if there was no response at all. */
  readonly status: number | undefined
  /** With `validation_failed`: the invalid fields. */
  readonly errors: readonly FieldError[]
  /** What to quote in a report to the shop. */
  readonly requestId: string | undefined
  /** Whole seconds to wait before the next attempt. */
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, details: Details = {}) {
    super(details.detail ?? 'The service cannot be reached; try again.', details)
    this.code = code
    this.status = details.status
    this.errors = details.errors ?? []
    this.requestId = details.requestId
    this.retryAfterS = details.retryAfterS
  }
}

/** Of a response that is not 2xx, whoever sent it, with its body. */
export function errorOf(response: Response, body: unknown): ShopError {
  const { status } = response
  const retryAfterS = retryAfterOf(response)
  if (!isProblem(body)) return new ShopError('unreachable', { status, retryAfterS })
  const { code, detail, errors, request_id: requestId } = body
  return new ShopError(code, { detail, status, errors, requestId, retryAfterS })
}

/** `Retry-After` in seconds, as the service sends it; undefined without, or with a date. */
export function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get('retry-after') ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'request_id' in body
}
