import type { Config, Secrets } from './config.ts'
import { type Backend, connect, type Connection } from './database/connect.ts'
import type { KeyRing } from './lib/keys.ts'
import { createPasswordHasher, type PasswordHasher } from './lib/password-hasher.ts'
import type { Logger } from './log.ts'

/** What endpoints and jobs may use. main.ts makes one, tests make another; nobody imports an instance. */
export interface Context {
  readonly config: Config
  readonly batchMax: Connection['batchMax']
  readonly db: Connection['db']
  readonly lookUp: Connection['lookUp']
  readonly transaction: Connection['transaction']
  /** Throws when the database cannot be used; resolves to its clock in Unix milliseconds. */
  readonly checkDatabase: Connection['check']
  readonly keys: KeyRing
  readonly hasher: PasswordHasher
  /** Unix milliseconds. Tests move it; nothing else may tell the time. */
  readonly now: () => number
  /** Tells this process's mail loop that a commit left mail for it. Others find the mail by polling. */
  readonly wakeMail: () => void
  readonly log: Logger
}

interface ContextParts {
  readonly config: Config
  readonly secrets: Pick<Secrets, 'keys'>
  readonly backend: Backend
  readonly log: Logger
  readonly now?: () => number
  readonly wakeMail?: () => void
}

/** Puts a context together; the backend stays the caller's to close. */
export async function createContext(parts: ContextParts): Promise<Context> {
  const { config, secrets, backend, log, now = Date.now, wakeMail = () => {} } = parts
  const { batchMax, db, lookUp, transaction, check } = connect(backend)
  const hasher = await createPasswordHasher({
    ...config.argon2,
    concurrency: config.hashConcurrency,
    queue: config.hashQueue,
  })
  return {
    config,
    batchMax,
    db,
    lookUp,
    transaction,
    checkDatabase: check,
    keys: secrets.keys,
    hasher,
    now,
    wakeMail,
    log,
  }
}
