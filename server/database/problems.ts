import { AppError } from '../errors.ts'

const NAME = 'DATABASE_URL'

/** SQLSTATEs and the system's codes: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const POSTGRES: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'names a server that refuses connections: is PostgreSQL started, and is the port right?',
  ENOTFOUND: 'names a host that has no address: is it spelt right?',
  EAI_AGAIN: 'names a host whose address cannot be looked up now',
  ETIMEDOUT: 'names a server that does not answer: is it reachable from here?',
  '28P01': 'has a user or password that the server rejects',
  '28000': 'has a user that the server rejects from this host: check its pg_hba.conf',
  '3D000': 'names a database that does not exist: create it with createdb',
  '42501': 'has a user without the required privilege: the service’s user must own the schema',
  '57P03': 'names a server that is starting or stopping: try again',
  '53300': 'names a server that has no free connection: raise its max_connections',
}

/** Primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE: Readonly<Record<number, string>> = {
  8: 'names a file that is not writable',
  11: 'names a SQLite database that is damaged: restore a backup',
  13: 'names a file on a disk that is full',
  14: 'names a file that cannot be opened: it is a folder, or this user may not read and write it',
  26: 'names a file that is not a SQLite database',
}

/**
 * Explains a database error to the operator in one line that begins with the setting and names the
 * remedy; undefined for errors that are not the database's.
 */
export function databaseProblem(error: unknown): string | undefined {
  const unavailable = error instanceof AppError && error.code === 'database_unavailable'
  const cause = firstOf(unavailable ? error.cause : error)
  const { code, errcode, syscall } = cause
  const isDatabases =
    unavailable || syscall === 'mkdir' || errcode !== undefined || /^\d/.test(`${code}`)
  if (!isDatabases) return undefined
  const known =
    syscall === 'mkdir'
      ? 'names a folder that cannot be created: name another, or create it'
      : errcode === undefined
        ? POSTGRES[`${code}`]
        : SQLITE[errcode & 0xff]
  if (known === undefined && !unavailable) return undefined
  // The system's message would repeat the path or the host.
  const why = known !== undefined && syscall !== undefined ? code : cause.message || cause.name
  return `${NAME} ${known ?? 'names a database that is unavailable'} (${why})`
}

interface Cause {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly errcode?: number
  readonly syscall?: string
}

/** A refused connect to a host with two addresses holds one error for each. */
function firstOf(error: unknown): Cause {
  return ((error instanceof AggregateError ? error.errors[0] : error) ?? {}) as Cause
}
