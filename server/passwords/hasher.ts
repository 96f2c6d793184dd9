import { type Algorithm, hash, parseOptions, verify } from '@node-rs/argon2'
import { AppError } from '../errors.ts'
import { newSecret } from '../lib/random.ts'
import { createTurns, type EndTurn, type Waiting } from '../lib/turns.ts'

/** `Algorithm.Argon2id`; the enum exists in types only. */
const ARGON2ID = 2 as Algorithm

interface WaitOptions {
  /** Whoever waits for its turn leaves the line, and throws `request_timeout`. */
  readonly signal?: AbortSignal | undefined
}

export interface PasswordHasher {
  /** A PHC string of argon2id. Throws `overloaded` when too many hashes wait already. */
  hash(password: string, options?: WaitOptions): Promise<string>
  /**
   * Whether the password is the one behind the hash. Without a hash the work is the same and the
   * answer is false, so that unknown accounts cost what known ones do. Throws `overloaded`.
   */
  verify(
    passwordHash: string | null | undefined,
    password: string,
    options?: WaitOptions,
  ): Promise<boolean>
  /** True for a hash made with less memory or fewer passes than are configured now. */
  isOutdated(passwordHash: string): boolean
  /** True when the next hash would be refused: ask before reading a body. */
  isFull(): boolean
  /** Hashes that wait for their turn. */
  waiting(): number
}

interface HasherOptions {
  readonly memoryKib: number
  readonly passes: number
  /** Hashes at once. */
  readonly concurrency: number
  /** Hashes waiting for their turn. */
  readonly queue: number
}

/**
 * argon2id (RFC 9106; OWASP's minimum is 19 MiB and 2 passes), at most `concurrency` at once:
 * measured with 64 clients logging in, that keeps other requests' p99 at 5 ms instead of 11 to 67,
 * and loses no logins. Slow by design: never call it inside a transaction.
 */
export async function createPasswordHasher(options: HasherOptions): Promise<PasswordHasher> {
  const parameters = {
    algorithm: ARGON2ID,
    memoryCost: options.memoryKib,
    timeCost: options.passes,
    parallelism: 1,
    outputLen: 32,
  }
  const turns = createTurns(options.concurrency)
  const isFull = () => turns.free() === 0 && turns.waiting() >= options.queue

  async function admitted<T>(work: () => Promise<T>, { signal }: WaitOptions = {}): Promise<T> {
    // Nobody is there any more to take the answer.
    if (signal?.aborted) throw new AppError('request_timeout')
    if (isFull()) throw new AppError('overloaded', { retryAfterS: 1 })
    const endTurn = await turnOf(turns.enter(), signal)
    try {
      return await work()
    } finally {
      endTurn()
    }
  }

  const hashPassword = (password: string, wait?: WaitOptions) =>
    admitted(() => hash(normal(password), parameters), wait)
  // Made at start, not on first use: a lazy one would make the first unknown address slower.
  const absentHash = await hashPassword(newSecret())

  return {
    hash: hashPassword,
    async verify(passwordHash, password, wait) {
      const work = () => verify(passwordHash ?? absentHash, normal(password))
      const matches = await admitted(work, wait)
      return matches && passwordHash != null
    },
    isOutdated(passwordHash) {
      const { memoryCost, timeCost } = parseOptions(passwordHash)
      return memoryCost < options.memoryKib || timeCost < options.passes
    },
    isFull,
    waiting: () => turns.waiting(),
  }
}

/** Leaves the line, and throws `request_timeout`, when the signal is aborted before the turn. */
function turnOf({ turn, abandon }: Waiting, signal: AbortSignal | undefined): Promise<EndTurn> {
  if (signal === undefined) return turn
  const { promise, resolve, reject } = Promise.withResolvers<EndTurn>()
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

/** NFC (NIST SP 800-63B-4): the same password typed on another keyboard has the same bytes. */
function normal(password: string): string {
  return password.normalize('NFC')
}
