import { wordBits } from './word-lists.ts'

/** Time grows with the square: 0.3 ms for 40 characters, 2 ms for these. */
const LENGTH_MAX = 128
const WORD_LENGTH = { min: 2, max: 12 }
/** The bits of choosing what comes next: a character, a word, a date or a repetition. */
const CHOICE_BITS = 2
const LETTER_BITS = Math.log2(26)
const DIGIT_BITS = Math.log2(10)
/** A separator between words, once it has occurred. */
const SEPARATOR_BITS = 1
const DAYS_OF_120_YEARS_BITS = Math.log2(120 * 365)
const YEARS_BITS = Math.log2(120)
const DATES: readonly (readonly [RegExp, number])[] = [
  [/(?:19|20)\d\d[-./ ]?(?:0\d|1[0-2])[-./ ]?[0-3]\d/y, DAYS_OF_120_YEARS_BITS],
  [/[0-3]\d[-./ ]?[0-3]\d[-./ ]?(?:19|20)\d\d/y, DAYS_OF_120_YEARS_BITS],
  [/(?:19|20)\d\d/y, YEARS_BITS],
]
const KEYBOARD = ['`1234567890-=', '\tqwertyuiop[]\\', "\tasdfghjkl;'", '\tzxcvbnm,./']
const SHIFTED_DIGITS = '~!@#$%^&*()_+'
const ROW_WIDTH = 100

/**
 * Estimates the bits that an attacker must guess, from the shortest description of the text by listed
 * words, dates, repetitions, sequences, walks over a keyboard and single characters. Random text keeps
 * nearly all of its entropy; words in no list count as random letters.
 */
export function guessBits(typed: string): number {
  const text = typed.slice(0, LENGTH_MAX).toLowerCase()
  const words = wordBits()
  const copies = longestCopies(text)
  /** By position: the bits of the text before it. */
  const bits = [0]
  for (let start = 0; start < text.length; start++) {
    const add = (length: number, cost: number) => {
      const total = (bits[start] ?? 0) + cost
      bits[start + length] = Math.min(bits[start + length] ?? Infinity, total)
    }
    add(1, characterBits(text, start))
    for (let length = 2; length <= (copies[start] ?? 0); length++)
      add(length, CHOICE_BITS + Math.log2(start * length))
    for (const [form, cost] of DATES) {
      form.lastIndex = start
      const [date] = form.exec(text) ?? []
      if (date !== undefined) add(date.length, CHOICE_BITS + cost)
    }
    const longest = Math.min(WORD_LENGTH.max, text.length - start)
    for (let length = WORD_LENGTH.min; length <= longest; length++) {
      const cost = words.get(text.slice(start, start + length))
      if (cost !== undefined) add(length, CHOICE_BITS + cost)
    }
  }
  return bits.at(-1) ?? 0
}

function characterBits(text: string, index: number): number {
  const character = text.charAt(index)
  if (/[^\p{L}\p{N}]/u.test(character) && text.indexOf(character) < index) return SEPARATOR_BITS
  return Math.min(/\d/.test(character) ? DIGIT_BITS : LETTER_BITS, Math.log2(new Set(text).size))
}

/**
 * By position, the length of the longest piece that repeats earlier characters, or earlier steps in the
 * alphabet or on the keyboard: `def` has the steps of `abc`, and `2wsx` those of `1qaz`.
 */
function longestCopies(text: string): readonly number[] {
  const codes = Array.from(text, (_, index) => text.charCodeAt(index))
  const places = Array.from(text, (_, index) => placeOf(text.charAt(index)))
  const longest = codes.map(() => 0)
  for (const values of [codes, stepsOf(codes, 1), stepsOf(codes, 2), stepsOf(places, 1)]) {
    for (let distance = 1; distance < values.length; distance++) {
      let length = 0
      for (let index = values.length - 1; index >= distance; index--) {
        length = values[index] === values[index - distance] ? length + 1 : 0
        longest[index] = Math.max(longest[index] ?? 0, length)
      }
    }
  }
  return longest
}

/** The differences to earlier values; NaN, which equals nothing, where there is none. */
function stepsOf(values: readonly number[], distance: number): number[] {
  return values.map((value, index) => value - (values[index - distance] ?? Number.NaN))
}

function placeOf(character: string): number {
  const digit = SHIFTED_DIGITS.indexOf(character)
  if (digit >= 0) return digit
  const row = KEYBOARD.findIndex((keys) => keys.includes(character))
  return row < 0 ? Number.NaN : row * ROW_WIDTH + (KEYBOARD[row] ?? '').indexOf(character)
}
