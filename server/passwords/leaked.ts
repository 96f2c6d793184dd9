import { createHash } from 'node:crypto'
import { readText } from '../lib/read-text.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'

/** Whether a password stands in a list of those that leaked somewhere. */
export interface PwnedPasswords {
  /** False also when nobody answers in time, which is counted: their outage must not stop our sign-ups. */
  includes(password: string): Promise<boolean>
  /** Counts a question that was not asked, with its reason, and returns false. */
  skip(reason: string): false
  /** Questions since the start that were not answered. */
  unanswered(): number
}

interface Options {
  /** The URL of a range API like that of Have I Been Pwned, with a final slash; without it nothing is asked. */
  readonly url: string | undefined
  /** Called with the reason, at most once a minute. */
  readonly warn: (details: { reason: string; unanswered: number }) => void
}

const PREFIX_LENGTH = 5
const TIMEOUT_MS = SECOND_MS
/** Five times what a padded range takes (1 300 lines of 40 bytes). */
const ANSWER_MAX_BYTES = 256 * 1024
/** One more has no answer: a flood of sign-ups must not use up our sockets. */
const AT_ONCE = 20
const LINE = /^([0-9A-F]{35}):([0-9]{1,10})$/i

/**
 * Asks by range: of the password only the first five hex digits of its SHA-1 leave this process, as
 * with a million others, and `Add-Padding` hides from who counts bytes which range was asked for.
 */
export function createPwnedPasswords({ url, warn }: Options): PwnedPasswords {
  let unanswered = 0
  let asking = 0
  let warnedAtMs = -MINUTE_MS

  function fail(error: unknown): false {
    unanswered++
    if (performance.now() - warnedAtMs >= MINUTE_MS) {
      warnedAtMs = performance.now()
      warn({ reason: reasonOf(error), unanswered })
    }
    return false
  }

  return {
    unanswered: () => unanswered,
    skip: (reason) => fail(new Error(reason)),
    async includes(password) {
      if (url === undefined) return false
      if (asking >= AT_ONCE) return fail(new Error(`${AT_ONCE} questions wait already`))
      asking++
      try {
        return await isInRange(url, password)
      } catch (error) {
        return fail(error)
      } finally {
        asking--
      }
    },
  }
}

async function isInRange(url: string, password: string): Promise<boolean> {
  // SHA-1 is the list's own; nothing is kept of it here.
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
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`)
  const body = await readText(answer, ANSWER_MAX_BYTES)
  return countOf(body, suffix) > 0
}

/** How often the list has seen it; entries of a padded answer say 0. Throws for what is no such list. */
function countOf(body: string, suffix: string): number {
  let count = 0
  for (const line of body.split(/\r?\n/)) {
    if (line === '') continue
    const [, known, times] = LINE.exec(line) ?? []
    if (known === undefined) throw new Error('the answer is no list of hashes')
    if (known.toUpperCase() === suffix) count = Number(times)
  }
  return count
}

/** Fetch itself says no more than "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause = error } = error as Error
  return cause instanceof Error ? cause.message : 'unknown'
}
