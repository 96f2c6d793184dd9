import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The 49 233 most common passwords, kept as JSON text. Measured: a Set takes 20 MB; a text search takes
 * less than 1 ms, the hash that follows 15 ms; zxcvbn's scorer takes 61 ms for 60 characters.
 */
const COMMON_PASSWORDS = read(import.meta.resolve('@zxcvbn-ts/language-common/src/passwords.json'))
/** The first 12 000. Rarer ones are hardly cheaper than their letters; all of them cost 10 MB. */
const RANKED_BYTES = 120_000
/** No word saves more than this much guessing. */
const GUESSES_MIN = 32
/** Frequent in keys, and missing in the lists. */
const KEY_WORDS =
  'access and api app auth backend bearer coffee coffeeshop dev development do for generation here hmac hs256 in insecure is jwt key local localhost my not of only our private prod production secret session shop sign signing super test testing the this token use used very your'

/** True for a password in the list, spelled exactly like this. */
export function isCommon(password: string): boolean {
  return COMMON_PASSWORDS.includes(JSON.stringify(password))
}

let ranked: WeakRef<ReadonlyMap<string, number>> | undefined

/**
 * Lower-case words with the bits of guessing each by its rank in its list. Built in 10 ms when it is needed
 * and collected when it is not: kept, it takes 8 MB of a process that needs it at its start only.
 */
export function wordBits(): ReadonlyMap<string, number> {
  const bits = ranked?.deref() ?? rankWords()
  ranked = new WeakRef(bits)
  return bits
}

function rankWords(): ReadonlyMap<string, number> {
  const diceware = read(import.meta.resolve('@zxcvbn-ts/language-common/src/diceware.json'))
  const lists = [COMMON_PASSWORDS.slice(0, RANKED_BYTES), diceware].map(wordsIn)
  const found = new Map<string, number>()
  for (const list of [KEY_WORDS.split(' '), ...lists]) {
    for (const [rank, word] of list.entries())
      if (!found.has(word)) found.set(word, Math.log2(Math.max(rank, GUESSES_MIN)))
  }
  return found
}

/** The words of a JSON array of words, also of the beginning of its text. */
function wordsIn(text: string): string[] {
  return Array.from(text.matchAll(/"([^"\\]+)"/g), ([, word = '']) => word)
}

function read(url: string): string {
  return readFileSync(fileURLToPath(url), 'latin1')
}
