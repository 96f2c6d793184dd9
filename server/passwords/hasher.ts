import { createSecretKey } from 'node:crypto'
import { type Algorithm, hash, type Options, parseOptions, verify } from '@node-rs/argon2'
import { AppError } from '../errors.ts'
import { mac } from '../keys/key-ring.ts'
import { setBounded } from '../lib/bounded-map.ts'
import { newSecret } from '../lib/random.ts'
import { createTurns, type EndTurn, type Waiting } from '../lib/turns.ts'
import type { HashReports } from './hash-reports.ts'

/** `Algorithm.Argon2id`; the enum exists in types only. */
const ARGON2ID = 2 as Algorithm

/** The request that a hash is for. */
interface Requester {
  /** See `siteOf`. */
  readonly network: string
  /** A user id or a canonical address; absent while it is not known yet. */
  readonly account?: string
}

export interface HashOptions {
  /** Absent for the service itself, whose hashes are always admitted. */
  readonly requester?: Requester
  /** Aborting it while the hash is queued throws `request_timeout`. */
  readonly signal?: AbortSignal | undefined
}

interface VerifyOptions extends HashOptions {
  /** For the log, when the stored hash cannot be verified. */
  readonly userId?: number | undefined
}

export interface PasswordHasher {
  /** Returns an argon2id PHC string. Throws `overloaded` when there is no place in the queue. */
  hash(password: string, options?: HashOptions): Promise<string>
  /**
   * True when the password matches the hash. Without a hash, or with one of another kind, it does the
   * same work and returns false, so that timing does not reveal unknown accounts. Throws `overloaded`.
   */
  verify(
    passwordHash: string | null | undefined,
    password: string,
    options?: VerifyOptions,
  ): Promise<boolean>
  /** Remembers a password that matched, so that the next attempt can be refused without a hash. */
  remember(passwordHash: string, password: string): void
  /** True for a remembered password. Only for refusing: a fast comparison must not grant anything. */
  remembers(passwordHash: string | null | undefined, password: string): boolean
  /** True for a hash with less memory or fewer passes than configured. */
  isOutdated(passwordHash: string): boolean
  /** True when the next hash of the requester, by default of a new network, would be refused. */
  isFull(requester?: Requester): boolean
  /** Throws `overloaded` when the next hash of the requester would be refused. */
  assertPlace(requester: Requester): void
  /** The number of queued hashes. */
  waiting(): number
}

interface HasherOptions {
  readonly memoryKib: number
  readonly passes: number
  /** The number of concurrent hashes. */
  readonly concurrency: number
  /** The maximum number of queued hashes. */
  readonly queue: number
  readonly reports?: HashReports
}

/** No network and no account holds more than this part of the places, running and queued. */
const SHARE = 1 / 4
/**
 * The cost of one stored hash, memory times passes, unless more is configured: the first choice of RFC
 * 9106, 2 GiB. A row with more, which only an import or an attacker writes, would stop the service.
 */
const COST_MAX_KIB = 2 * 1024 * 1024
const REMEMBERED_MAX = 1000
/** Shared, because creating a stack trace for each refusal of a flood is expensive. */
const OVERLOADED = new AppError('overloaded', { retryAfterS: 1 })

/**
 * argon2id (RFC 9106; OWASP's minimum is 19 MiB and 2 passes), at most `concurrency` at a time.
 * Measured with 64 clients logging in: the p99 of other requests is 5 ms instead of 11 to 67 ms, at the
 * same throughput of logins. Slow by design: never call it inside a transaction.
 */
export async function createPasswordHasher(options: HasherOptions): Promise<PasswordHasher> {
  const parameters = {
    algorithm: ARGON2ID,
    memoryCost: options.memoryKib,
    timeCost: options.passes,
    parallelism: 1,
    outputLen: 32,
  }
  const { reports } = options
  const { admitted, hasPlace, waiting } = createAdmission(options)
  const costMaxKib = Math.max(COST_MAX_KIB, options.memoryKib * options.passes)

  const hashPassword = (password: string, given?: HashOptions) =>
    admitted(() => hash(normal(password), parameters), given)
  // Computed at startup: on first use it would slow down the first unknown address.
  const absentHash = await hashPassword(newSecret())

  return {
    hash: hashPassword,
    async verify(passwordHash, password, given) {
      const known = passwordHash ?? absentHash
      const isReadable = costKibOf(known) <= costMaxKib
      if (!isReadable) reports?.unreadable(given?.userId)
      const isRight = await admitted(
        () => verify(isReadable ? known : absentHash, normal(password)),
        given,
      )
      return isRight && isReadable && passwordHash != null
    },
    ...createMemory(),
    isOutdated(passwordHash) {
      const { memoryCost = 0, timeCost = 0 } = readParameters(passwordHash) ?? {}
      return memoryCost < options.memoryKib || timeCost < options.passes
    },
    isFull: (requester = { network: 'new' }) => !hasPlace(requester),
    assertPlace(requester) {
      if (hasPlace(requester)) return
      reports?.refused(requester.network)
      throw OVERLOADED
    },
    waiting,
  }
}

/** The queue of hashes, which networks and accounts share. */
function createAdmission({ concurrency, queue, reports }: HasherOptions) {
  const heldMax = Math.max(1, Math.floor((concurrency + queue) * SHARE))
  const turns = createTurns({ slots: concurrency, waitingMax: queue, heldMax })

  return {
    hasPlace: (requester: Requester) => turns.hasPlace(keysOf(requester)),
    waiting: () => turns.waiting(),
    async admitted<T>(work: () => Promise<T>, given: HashOptions = {}): Promise<T> {
      const { requester, signal } = given
      // The client has disconnected.
      if (signal?.aborted) throw new AppError('request_timeout')
      const waiting = turns.enter(requester && keysOf(requester))
      const endTurn = waiting && (await turnOf(waiting, signal))
      if (endTurn === undefined) {
        reports?.refused(requester?.network)
        throw OVERLOADED
      }
      try {
        return await work()
      } finally {
        endTurn()
      }
    },
  }
}

function keysOf({ network, account }: Requester): string[] {
  return account === undefined
    ? [`network ${network}`]
    : [`network ${network}`, `account ${account}`]
}

/**
 * Passwords as MACs under a key of this process alone. Few: an attacker who reads the memory can guess
 * these faster than the stored hashes.
 */
function createMemory(): Pick<PasswordHasher, 'remember' | 'remembers'> {
  const key = createSecretKey(newSecret(), 'utf8')
  const recent = new Map<string, true>()
  const macOf = (passwordHash: string, password: string) =>
    mac(key, `${passwordHash} ${normal(password)}`)
  return {
    remember: (passwordHash, password) =>
      setBounded(recent, [macOf(passwordHash, password), true], REMEMBERED_MAX),
    remembers: (passwordHash, password) =>
      passwordHash != null && recent.has(macOf(passwordHash, password)),
  }
}

/** Infinite for a hash of another kind. */
function costKibOf(passwordHash: string): number {
  const { memoryCost = Infinity, timeCost = Infinity } = readParameters(passwordHash) ?? {}
  return memoryCost * timeCost
}

/** Undefined for a text that is not an argon2 PHC string. */
function readParameters(passwordHash: string): Options | undefined {
  try {
    return parseOptions(passwordHash)
  } catch {
    return undefined
  }
}

/** Waits for a turn; leaves the queue and throws `request_timeout` when the signal is aborted first. */
function turnOf(
  { turn, abandon }: Waiting,
  signal: AbortSignal | undefined,
): Promise<EndTurn | undefined> {
  if (signal === undefined) return turn
  const { promise, resolve, reject } = Promise.withResolvers<EndTurn | undefined>()
  const leave = () => {
    abandon()
    reject(new AppError('request_timeout'))
  }
  signal.addEventListener('abort', leave, { once: true })
  void turn.then((endTurn) => {
    signal.removeEventListener('abort', leave)
    resolve(endTurn)
  })
  return promise
}

/** NFC (NIST SP 800-63B-4), because keyboards differ in how they compose characters. */
function normal(password: string): string {
  return password.normalize('NFC')
}
