import { AppError } from '../errors.ts'

/** A session that may only read: of a standby, or during a read-only spell. */
export const READ_ONLY = '25006'

/** SQLSTATEs of an outage: connection, resources, operator intervention, I/O, read-only, time-outs, start-up. */
const OUTAGE = /^(08...|53...|57P0.|57014|58...|25006|25P0[34]|55P03|28P01|28000|3D000|E[A-Z_]+)$/
/** Of those, the ones after which the server that a connection leads to is not to be trusted. */
const STALE = /^(08...|57P0[123]|25006|E[A-Z_]+)$/
/** pg reports a lost connection only in the message, without a code. */
const LOST =
  /connection terminated|connection error|timeout exceeded|not queryable|client was closed/i

/** Maps outages to `database_unavailable` and passes on all other errors. */
export function outage(error: unknown): unknown {
  return OUTAGE.test(sqlState(error)) || isLost(error) ? unavailable(error) : error
}

/** `database_unavailable`, with the error as its cause. */
export function unavailable(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
}

/** True when other connections to the same server are likely to fail in the same way. */
export function isStale(error: unknown): boolean {
  return STALE.test(sqlState(error)) || isLost(error)
}

export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function isLost(error: unknown): boolean {
  return error instanceof Error && LOST.test(error.message)
}
