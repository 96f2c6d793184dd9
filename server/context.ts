import type { Config, Secrets } from './settings/config.ts'
import { REQUEST_BUDGET_MS } from './database/budget.ts'
import { type Backend, connect, type Connection } from './database/connect.ts'
import type { KeyRing, TokenKeys } from './keys/key-ring.ts'
import { createHashReports } from './passwords/hash-reports.ts'
import { createPasswordHasher, type PasswordHasher } from './passwords/hasher.ts'
import { createPwnedPasswords, type PwnedPasswords } from './passwords/leaked.ts'
import { createLimits, type Limits } from './limits/counters.ts'
import type { LocalCounts } from './limits/local.ts'
import type { SharedCounts } from './limits/redis.ts'
import type { Logger } from './lib/log.ts'
import { type Loops, watchLoops } from './lib/loops.ts'
import type { Metrics } from './lib/metrics.ts'
import { type SigningKeys, watchSigningKeys } from './keys/signing-key-file.ts'

/** The dependencies of endpoints and jobs. An argument, never an import, so that tests create their own. */
export interface Context extends Omit<Connection, 'check' | 'close'> {
  readonly config: Config
  /** Total time that one request may wait for the database. */
  readonly requestBudgetMs: number
  /** Resolves to the database's clock in Unix milliseconds; throws when the database is unavailable. */
  readonly checkDatabase: Connection['check']
  readonly keys: KeyRing
  /** Unused with an asymmetric ALGORITHM. */
  readonly tokenKeys: TokenKeys
  /** Undefined with ALGORITHM=HS256. */
  readonly signingKeys: SigningKeys | undefined
  readonly hasher: PasswordHasher
  readonly pwnedPasswords: PwnedPasswords
  /** The only clock, in Unix milliseconds, which tests can advance. */
  readonly now: () => number
  /** Wakes this process's delivery loop after a commit that enqueued messages. Other processes poll. */
  readonly wakeMail: () => void
  readonly limits: Limits
  /** The background loops of this process, for the health of a worker. */
  readonly loops: Loops
  readonly metrics: Metrics
  readonly log: Logger
}

export interface ContextParts {
  readonly config: Config
  readonly secrets: Pick<Secrets, 'keys' | 'tokenKeys' | 'signingKeyFile'>
  readonly backend: Backend
  readonly log: Logger
  readonly now?: () => number
  readonly requestBudgetMs?: number
  readonly wakeMail?: () => void
  readonly metrics?: Metrics | undefined
  /** The caller closes it. */
  readonly redis?: SharedCounts | undefined
  /** Absent in a process without a parent that counts. */
  readonly localCounts?: LocalCounts | undefined
}

/** Used when METRICS_PORT is not set. */
const NO_METRICS: Metrics = {
  count() {},
  countRequest() {},
  observe() {},
  observeProcess() {},
  read: async () => [],
  expose: async () => '',
}

/** Assembles a context. The caller closes the backend. */
export async function createContext(parts: ContextParts): Promise<Context> {
  const { config, secrets, backend, log, redis, localCounts, metrics = NO_METRICS } = parts
  const { now = Date.now, requestBudgetMs = REQUEST_BUDGET_MS, wakeMail = () => {} } = parts
  const { keys, tokenKeys } = secrets
  const { check, close: _, ...connection } = connect(backend)
  const hasher = await createPasswordHasher({
    ...config.argon2,
    concurrency: config.hashConcurrency,
    queue: config.hashQueue,
    reports: createHashReports({ log, metrics }),
  })
  const pwnedPasswords = createPwnedPasswords({
    url: config.pwnedPasswordsUrl,
    warn: (details) => log.warn(details, 'passwords accepted without a check for leaks'),
  })
  return {
    config,
    ...connection,
    requestBudgetMs,
    checkDatabase: check,
    keys,
    tokenKeys,
    signingKeys: secrets.signingKeyFile && watchSigningKeys(secrets.signingKeyFile, { now, log }),
    hasher,
    pwnedPasswords,
    now,
    wakeMail,
    limits: createLimits({ config, keys, metrics, now, redis, localCounts }),
    loops: watchLoops(now),
    metrics,
    log,
  }
}
