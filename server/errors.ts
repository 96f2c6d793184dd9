/**
 * Everything that can go wrong and that a caller may act on, with the one sentence that is told.
 * Codes are API: they are listed in docs/errors.md, adding one is a minor change, renaming one is
 * breaking. This file knows no HTTP: http/problem.ts gives each code its status.
 */
export const ERRORS = {
  malformed_request: 'The request could not be read: it must be well-formed and in UTF-8.',
  invalid_code:
    'The code is wrong, has expired or was used; after five wrong codes wait an hour before the next.',
  invalid_reset_token:
    'The link is wrong, has expired or was used, or a newer one was mailed; ask for another.',
  invalid_undo_token: 'The link is wrong, has expired or was used.',
  authentication_required: 'Log in and send the access token as a Bearer token.',
  invalid_token: 'The token is invalid, has expired or was revoked; log in again.',
  invalid_credentials: 'Incorrect email or password.',
  forbidden: 'You do not have permission to do this.',
  email_unverified: 'Verify your email address before you log in.',
  wrong_password: 'The current password is wrong.',
  account_disabled: 'This account is disabled; ask an administrator.',
  own_role: 'Nobody changes their own role or disables themselves; another administrator can.',
  not_found: 'There is nothing here.',
  method_not_allowed: 'This method is not allowed here; the Allow header lists those that are.',
  request_timeout: 'The request took too long to arrive; send it again.',
  email_taken: 'Email already registered.',
  last_admin: 'The last active administrator must stay; make another one first.',
  email_change_undoable:
    'The address was changed less than 72 hours ago and can be changed back from the one before; delete the account after that.',
  user_inactive: 'Only a verified and enabled user can be made an administrator.',
  mail_not_failed: 'Only a message that is dead or bounced can be sent again.',
  body_too_large: 'The body is too large.',
  uri_too_long: 'The URL is too long; it may have 2048 bytes.',
  unsupported_media_type: 'Send the body as application/json.',
  validation_failed: 'The request is not valid; see errors for each field.',
  too_many_sign_ups:
    'This address has too many sign-ups waiting for their code; use one of the codes that were mailed, or try later.',
  too_many_requests: 'Too many tries; wait as long as Retry-After says.',
  login_locked:
    'Too many wrong passwords for this address; set a new one by mail, or log in from where you did lately.',
  headers_too_large: 'The headers are too large.',
  internal_error: 'Something went wrong on our side; the request_id helps us to find it.',
  overloaded: 'The service is busy; try again in a moment.',
  database_unavailable: 'The database cannot be reached; try again in a moment.',
} as const

export type ErrorCode = keyof typeof ERRORS

/** One refused field: an RFC 6901 pointer into the body (or the parameter's name), why, and a sentence. */
export interface FieldError {
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

/** The limit that refuses, as its caller is told. */
export interface LimitReached {
  readonly name: string
  readonly quota: number
  readonly windowS: number
  readonly retryAfterS: number
  /** The first refusal of its window: the one to record. */
  readonly isFirst: boolean
}

interface AppErrorOptions extends ErrorOptions {
  /** Whole seconds after which trying again makes sense. */
  readonly retryAfterS?: number
  readonly limit?: LimitReached
  readonly fields?: readonly FieldError[]
}

/** An expected refusal. Anything else that is thrown is a bug and becomes a bare 500. */
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

/** A refusal of one field that the schema alone cannot express. */
export function fieldError(pointer: string, code: string, detail: string): AppError {
  return new AppError('validation_failed', { fields: [{ pointer, code, detail }] })
}
