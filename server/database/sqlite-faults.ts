import { AppError } from '../errors.ts'

/** https://www.sqlite.org/rescode.html: BUSY and LOCKED are transient; FAULTS are errors of the file. */
const BUSY = new Set([5, 6])
const FAULTS = new Set([8, 10, 11, 13, 14, 26])

export function isBusy(error: unknown): boolean {
  return BUSY.has(resultCode(error))
}

export function isFault(error: unknown): boolean {
  return FAULTS.has(resultCode(error))
}

/** Maps errors of the file to `database_unavailable` and passes on all others. */
export function nameFault(error: unknown): unknown {
  return isFault(error) ? unavailable(error) : error
}

export function unavailable(cause: unknown): AppError {
  return new AppError('database_unavailable', { cause, retryAfterS: 1 })
}

/** The primary result code; 0 for errors that are not SQLite's. */
export function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}
