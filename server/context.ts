import type { Config, Secrets } from './settings/config.ts'
import { REQUEST_BUDGET_MS } from './database/budget.ts'
import { type Backend, connect, type Connection } from './database/connect.ts'
import type { KeyRing } from './keys/key-ring.ts'
import { createPasswordHasher, type PasswordHasher } from './passwords/hasher.ts'
import { createPwnedPasswords, type PwnedPasswords } from './passwords/leaked.ts'
import { createLimits, type Limits } from './limits/counters.ts'
import type { SharedCounts } from './limits/redis.ts'
import type { Logger } from './lib/log.ts'
import type { Metrics } from './lib/metrics.ts'
import { type SigningKeys, watchSigningKeys } from './keys/signing-key-file.ts'

/** What endpoints and jobs may use. main.ts makes one, tests make another; nobody imports an instance. */
export interface Context {
  readonly config: Config
  readonly batchMax: Connection['batchMax']
  readonly db: Connection['db']
  readonly lookUp: Connection['lookUp']
  readonly transaction: Connection['transaction']
  /** What one request may wait for the database in all. */
  readonly requestBudgetMs: number
  /** Throws when the database cannot be used; resolves to its clock in Unix milliseconds. */
  readonly checkDatabase: Connection['check']
  readonly keys: KeyRing
  /** With an asymmetric ALGORITHM; otherwise access tokens are signed with the secret key. */
  readonly signingKeys: SigningKeys | undefined
  readonly hasher: PasswordHasher
  readonly pwnedPasswords: PwnedPasswords
  /** Unix milliseconds. Tests move it; nothing else may tell the time. */
  readonly now: () => number
  /** Tells this process's mail loop that a commit left mail for it. Others find the mail by polling. */
  readonly wakeMail: () => void
  readonly limits: Limits
  readonly metrics: Metrics
  readonly log: Logger
}

export interface ContextParts {
  readonly config: Config
  readonly secrets: Pick<Secrets, 'keys' | 'signingKeyFile'>
  readonly backend: Backend
  readonly log: Logger
  readonly now?: () => number
  readonly requestBudgetMs?: number
  readonly wakeMail?: () => void
  readonly metrics?: Metrics | undefined
  /** Stays the caller's to close. */
  readonly redis?: SharedCounts | undefined
}

/** For a process whose metrics nobody scrapes. */
const NO_METRICS: Metrics = {
  count() {},
  countRequest() {},
  observe() {},
  observeProcess() {},
  expose: async () => '',
}

/** Puts a context together; the backend stays the caller's to close. */
export async function createContext(parts: ContextParts): Promise<Context> {
  const { config, secrets, backend, log, redis, metrics = NO_METRICS } = parts
  const { now = Date.now, requestBudgetMs = REQUEST_BUDGET_MS, wakeMail = () => {} } = parts
  const { keys } = secrets
  const { batchMax, db, lookUp, transaction, check } = connect(backend)
  const hasher = await createPasswordHasher({
    ...config.argon2,
    concurrency: config.hashConcurrency,
    queue: config.hashQueue,
  })
  const pwnedPasswords = createPwnedPasswords({
    url: config.pwnedPasswordsUrl,
    warn: (details) => log.warn(details, 'passwords set without a look at the leaked ones'),
  })
  return {
    config,
    batchMax,
    db,
    lookUp,
    transaction,
    requestBudgetMs,
    checkDatabase: check,
    keys,
    signingKeys: secrets.signingKeyFile && watchSigningKeys(secrets.signingKeyFile, { now, log }),
    hasher,
    pwnedPasswords,
    now,
    wakeMail,
    limits: createLimits({ config, keys, metrics, now, redis }),
    metrics,
    log,
  }
}
