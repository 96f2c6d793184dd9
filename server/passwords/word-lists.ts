import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The 49 233 most common passwords, kept as JSON text. Measured: a Set takes 20 MB; a text search takes
 * less than 1 ms, the hash that follows 15 ms; zxcvbn's scorer takes 61 ms for 60 characters.
 */
const COMMON_PASSWORDS = read('passwords')
const GUESSES_MIN = 32
/** Frequent in keys, and missing in the lists. */
const KEY_WORDS =
  'access and api app auth backend bearer coffee coffeeshop dev development do for here hmac hs256 in is jwt key local localhost my not of only our private prod production secret session shop sign signing test the this token use used your'

/** True for a password in the list, spelled exactly like this. */
export function isCommon(password: string): boolean {
  return COMMON_PASSWORDS.includes(JSON.stringify(password))
}

let bitsOfWords: ReadonlyMap<string, number> | undefined

/**
 * The bits of guessing a lower-case word by its rank in the lists; undefined if it is in none. Measured:
 * the first call takes 20 ms and leaves 4 MB.
 */
export function wordBits(word: string): number | undefined {
  bitsOfWords ??= rankWords()
  return bitsOfWords.get(word)
}

function rankWords(): ReadonlyMap<string, number> {
  const lists = [COMMON_PASSWORDS, read('diceware')].map((text) => JSON.parse(text) as string[])
  const found = new Map<string, number>()
  for (const list of [KEY_WORDS.split(' '), ...lists]) {
    for (const [rank, word] of list.entries())
      if (!found.has(word)) found.set(word, Math.log2(Math.max(rank, GUESSES_MIN)))
  }
  return found
}

function read(list: string): string {
  const url = import.meta.resolve(`@zxcvbn-ts/language-common/src/${list}.json`)
  return readFileSync(fileURLToPath(url), 'latin1')
}
