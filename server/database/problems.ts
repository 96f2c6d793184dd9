import { AppError } from '../errors.ts'

const NAME = 'DATABASE_URL'

/** SQLSTATEs and the system's codes: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const POSTGRES: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'the PostgreSQL server refused the connection; check that it is running and that the port is correct',
  ENOTFOUND: 'the host was not found; check the spelling',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ETIMEDOUT: 'the server does not respond; check that it is reachable from here',
  ENOENT: 'there is no socket of this port in the folder',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another host; check the host',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  '28P01': 'the server rejected the user or password',
  '28000': 'the server does not allow this user to connect from here; see its pg_hba.conf',
  '3D000': 'the database does not exist; create it with createdb',
  '42501': 'the user lacks permission; it must own the schema',
  '57P03': 'the server is starting or stopping; try again in a moment',
  '53300': 'the server has no free connections; raise its max_connections',
}

/** Problems that have no code, or many. */
const WORDS: readonly [RegExp, string][] = [
  [/client password must be/, 'the server asks for a password, and the URL has none'],
  [/statement pooling/, 'the pooler must have pool_mode = transaction or session'],
  [/time budget/, 'the server does not answer in time; check that it is reachable from here'],
  [/not support SSL/, 'the server has no encryption; configure it, or set sslmode=disable'],
  [
    /self-signed certificate|unable to (?:verify|get).*certificate/,
    'the certificate of the server is of an unknown authority; name its root certificate by sslrootcert',
  ],
]

/** Primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE: Readonly<Record<number, string>> = {
  5: 'another program holds a lock on the file',
  8: 'the file, or its folder, is not writable',
  10: 'the file cannot be read or written; choose a local disk, not a network file system',
  11: 'the SQLite database is damaged; restore a backup',
  13: 'the disk is full',
  14: 'the file cannot be opened; it is a folder, or this user may not read and write it',
  15: 'the file cannot be locked; choose a local disk, not a network file system',
  26: 'the file is not an SQLite database',
}

/** The database cannot serve, whatever is tried again; the message names the remedy. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = 'UnsuitableDatabaseError'
}

/** The contents of the database do not fit this version; the message names the remedy. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/**
 * Explains a database error to the operator in one line that begins with the setting and names the
 * remedy; undefined for errors that are not the database's.
 */
export function databaseProblem(error: unknown): string | undefined {
  const unavailable = error instanceof AppError && error.code === 'database_unavailable'
  const cause = firstOf(unavailable ? error.cause : error)
  if (cause instanceof UnsuitableDatabaseError) return `${NAME}: ${cause.message}`
  const { code, errcode, syscall } = cause
  const isDatabases =
    unavailable || syscall === 'mkdir' || errcode !== undefined || /^\d/.test(`${code}`)
  if (!isDatabases) return undefined
  const known =
    syscall === 'mkdir'
      ? 'the folder cannot be created; create it yourself or choose another (a relative path begins at the working directory)'
      : errcode === undefined
        ? (POSTGRES[`${code}`] ?? WORDS.find(([words]) => words.test(`${cause.message}`))?.[1])
        : SQLITE[errcode & 0xff]
  if (known === undefined && !unavailable) return undefined
  // The system's message would repeat the path or the host.
  const why = known !== undefined && syscall !== undefined ? code : cause.message || cause.name
  return `${NAME}: ${known ?? 'the database cannot be used at the moment'} (${why})`
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
