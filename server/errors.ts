/**
 * Every expected error, with the sentence that explains it to the client. Codes are API and listed in
 * docs/errors.md: adding one is a minor change, renaming one is breaking. http/problem.ts maps each code
 * to its HTTP status.
 */
export const ERRORS = {
  malformed_request: 'The request is malformed; send well-formed HTTP and JSON in UTF-8.',
  invalid_code:
    'The code is wrong, expired or already used; after five wrong codes, wait an hour for the next attempt.',
  invalid_reset_token:
    'The link is invalid, expired, already used or revoked; request another link.',
  invalid_undo_token: 'The link is invalid, expired or already used.',
  authentication_required: 'Log in and send the access token as a Bearer token.',
  invalid_token: 'The token is invalid, expired or revoked; log in again.',
  invalid_credentials: 'Incorrect email or password.',
  forbidden: 'You do not have permission to do this.',
  cross_site_request:
    'A page of another website sent this request; only this service and allowed origins may.',
  email_unverified: 'Verify your email address before you log in.',
  wrong_password: 'The current password is wrong.',
  reauthentication_required:
    'Confirm your password: send it as current_password, or to POST /auth/reauthenticate, or log in again.',
  account_disabled: 'This account is disabled; contact the shop.',
  own_role: 'You cannot change your own role or disable your own account; ask another admin.',
  not_found: 'The requested resource was not found.',
  method_not_allowed: 'This method is not allowed; the Allow header lists the allowed methods.',
  request_timeout: 'The request was not received in time; send it again.',
  email_taken: 'Email already registered.',
  last_admin: 'The service needs at least one active admin; appoint another admin first.',
  email_change_undoable:
    'The previous address can still undo the last change of the address. Try again 72 hours after that change.',
  user_inactive: 'Only a verified and enabled user can become an admin.',
  user_unverified: 'The address of this user is not verified.',
  user_verified: 'The address of this user is verified already.',
  user_disabled: 'This user is disabled; enable the account first.',
  job_busy: 'This job is running, or about to; try again when it has finished.',
  mail_not_failed: 'Only a dead or bounced message can be resent.',
  body_too_large: 'The request body is too large.',
  uri_too_long: 'The URL exceeds the limit of 2048 bytes.',
  unsupported_media_type: 'Send the body as application/json in UTF-8, without compression.',
  validation_failed: 'The request is invalid; see errors for details.',
  too_many_sign_ups:
    'This address has too many pending sign-ups; choose “Forgot password”, whose link also verifies the address, or try again later.',
  too_many_requests: 'Too many requests; try again after the time in Retry-After.',
  login_locked:
    'Too many wrong passwords for this address; reset the password by email or log in from a network or device that you used recently.',
  headers_too_large: 'The request headers are too large.',
  internal_error: 'An internal error occurred; include the request_id when you report it.',
  overloaded: 'The service is overloaded; try again in a moment.',
  database_unavailable: 'The database is unavailable; try again in a moment.',
} as const

export type ErrorCode = keyof typeof ERRORS

/** An invalid field. `pointer` is a JSON pointer into the body (RFC 6901) or the name of a parameter. */
export interface FieldError {
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

/** The exceeded rate limit, as reported to the client. */
export interface LimitReached {
  readonly name: string
  readonly quota: number
  readonly windowS: number
  readonly retryAfterS: number
  /** True for the first refusal of a window, the only one that is recorded. */
  readonly isFirst: boolean
}

interface AppErrorOptions extends ErrorOptions {
  /** Whole seconds to wait before the next attempt. */
  readonly retryAfterS?: number
  readonly limit?: LimitReached
  readonly fields?: readonly FieldError[]
}

/** An expected refusal. Any other thrown error is a bug and answered with a bare 500. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryAfterS: number | undefined
  readonly limit: LimitReached | undefined
  readonly fields: readonly FieldError[] | undefined

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(ERRORS[code], options)
    this.name = 'AppError'
    this.code = code
    this.retryAfterS = options.retryAfterS ?? options.limit?.retryAfterS
    this.limit = options.limit
    this.fields = options.fields
  }
}

/** An invalid field that the schema alone cannot detect. */
export function fieldError(pointer: string, code: string, detail: string): AppError {
  return new AppError('validation_failed', { fields: [{ pointer, code, detail }] })
}
