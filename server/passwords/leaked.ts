import { createHash } from 'node:crypto'
import { readText } from '../lib/read-text.ts'
import { createPacer } from '../lib/pacer.ts'
import { fetchFailure } from '../lib/reasons.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'

/** A list of leaked passwords. */
export interface PwnedPasswords {
  /** False also without a response in time, which is counted: an outage of the list must not stop sign-ups. */
  includes(password: string): Promise<boolean>
  /** Counts a query that was skipped, with its reason; returns false. */
  skip(reason: string): false
  /** The number of skipped and failed queries since startup. */
  unanswered(): number
}

interface Options {
  /** The URL of a range API such as that of Have I Been Pwned, with a final slash; without it, no queries. */
  readonly url: string | undefined
  /** Called with the reason, at most once a minute. */
  readonly warn: (details: { reason: string; unanswered: number }) => void
}

const PREFIX_LENGTH = 5
const TIMEOUT_MS = SECOND_MS
/** Five times the size of a padded range (1 300 lines of 40 bytes). */
const ANSWER_MAX_BYTES = 256 * 1024
/** Further queries fail at once: a flood of sign-ups must not use up the sockets. */
const CONCURRENT_MAX = 20
const LINE = /^([0-9A-F]{35}):([0-9]{1,10})$/i

/**
 * Queries by range (k-anonymity): only the first five hex digits of the SHA-1 leave this process, and
 * `Add-Padding` hides the range from an observer of the response size.
 */
export function createPwnedPasswords({ url, warn }: Options): PwnedPasswords {
  let unanswered = 0
  let pending = 0
  const isWarningDue = createPacer(() => performance.now(), MINUTE_MS)

  function fail(error: unknown): false {
    unanswered++
    if (isWarningDue()) warn({ reason: fetchFailure(error), unanswered })
    return false
  }

  return {
    unanswered: () => unanswered,
    skip: (reason) => fail(new Error(reason)),
    async includes(password) {
      if (url === undefined) return false
      if (pending >= CONCURRENT_MAX) return fail(new Error(`${CONCURRENT_MAX} queries are pending`))
      pending++
      try {
        return await isInRange(url, password)
      } catch (error) {
        return fail(error)
      } finally {
        pending--
      }
    },
  }
}

async function isInRange(url: string, password: string): Promise<boolean> {
  // The range API requires SHA-1; the digest is not stored.
  const digest = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase()
  const [prefix, suffix] = [digest.slice(0, PREFIX_LENGTH), digest.slice(PREFIX_LENGTH)]
  const answer = await fetch(new URL(prefix, url), {
    headers: {
      'add-padding': 'true',
      'user-agent': 'coffee-shop-api',
      accept: 'text/plain',
      connection: 'close',
    },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (answer.status !== 200) throw new Error(`responded with ${answer.status}`)
  const body = await readText(answer, ANSWER_MAX_BYTES)
  return countOf(body, suffix) > 0
}

/** The count of a suffix; padding entries have 0. Throws for an invalid list. */
function countOf(body: string, suffix: string): number {
  let count = 0
  for (const line of body.split(/\r?\n/)) {
    if (line === '') continue
    const [, known, times] = LINE.exec(line) ?? []
    if (known === undefined) throw new Error('the response is not a list of hashes')
    if (known.toUpperCase() === suffix) count = Number(times)
  }
  return count
}
