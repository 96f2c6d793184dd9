import { type RawBuilder, sql } from 'kysely'

/** Fewer characters have no trigram: they are searched at the beginning only. */
const SUBSTRING_MIN = 3

/** The text of a search in the forms that are compared. */
export interface SearchText {
  /** Whether it is searched at any place, or at the beginning only. */
  readonly isSubstring: boolean
  /** As addresses are stored. */
  readonly email: string
  /** In the case of the request, which the database lowers: PostgreSQL and JavaScript differ on `Σ` and `İ`. */
  readonly name: string
}

/** `hasTrigrams` is false on a PostgreSQL without the index for substrings. */
export function searchText(q: string, { hasTrigrams }: { hasTrigrams: boolean }): SearchText {
  const name = q.normalize('NFC')
  const isSubstring = hasTrigrams && [...name].length >= SUBSTRING_MIN
  return { isSubstring, email: name.toLowerCase(), name }
}

/** The condition of a search for literal text in the address or the name of a user, case-insensitive. */
export function matching(q: string): RawBuilder<boolean> {
  return matchesText(searchText(q, { hasTrigrams: true }))
}

export function matchesText(text: SearchText): RawBuilder<boolean> {
  const { email, name } = patternsOf(text)
  return sql<boolean>`(email_canonical like ${email} escape '\\' or lower(full_name) like lower(${name}) escape '\\')`
}

/**
 * The same on SQLite, whose LIKE folds ASCII by itself: there `lower()` is JavaScript's, and costs 2 µs, which
 * only names with other letters need.
 */
export function matchesOnSqlite(text: SearchText): RawBuilder<boolean> {
  const { email, name } = patternsOf(text)
  return sql<boolean>`(email_canonical like ${email} escape '\\' or full_name like ${email} escape '\\'
    or (octet_length(full_name) > length(full_name) and lower(full_name) like lower(${name}) escape '\\'))`
}

/** Patterns of LIKE, in which `%`, `_` and the escape character match literally. */
export function patternsOf({ isSubstring, email, name }: SearchText) {
  const pattern = (text: string) =>
    `${isSubstring ? '%' : ''}${text.replace(/[\\%_]/g, String.raw`\$&`)}%`
  return { email: pattern(email), name: pattern(name) }
}

/** `İ` in lower case is `i` with this dot. */
const DOT = '\u0307'
/** Letters whose capital is not found by `toUpperCase`. */
const OTHER_CAPITALS = [...'İǅǈǋǲϴẞᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼΩKÅ']

/** The characters whose lower case begins with a character. */
function capitalsOf(lower: string): string[] {
  const upper = lower.toUpperCase()
  const others = OTHER_CAPITALS.filter((capital) => capital.toLowerCase().startsWith(lower))
  return [...new Set([lower, ...([...upper].length === 1 ? [upper] : []), ...others])]
}

/** The ways in which a text in lower case may be stored. */
function spellings(lower: readonly string[]): string[] {
  return lower.reduce<string[]>(
    (begun, character) =>
      begun.flatMap((start) => capitalsOf(character).map((capital) => start + capital)),
    [''],
  )
}

/** The beginnings of stored names, of which SQLite compares the bytes, that `text` may match. */
export function nameBeginnings({ name }: SearchText): string[] {
  const lower = [...name.toLowerCase()]
  const composed = [...name.toLowerCase().replaceAll(`i${DOT}`, 'İ')]
  // More of it would have too many spellings.
  const parts = [lower.slice(0, SUBSTRING_MIN), composed.slice(0, SUBSTRING_MIN)]
  return [...new Set(parts.flatMap(spellings))]
}

/**
 * The query of FTS5 that finds every user whom `text` may match, and some others; undefined if it has
 * no trigram to search by. FTS5 folds case as Unicode 6.1 does and JavaScript as a later one.
 */
export function trigramQuery({ name }: SearchText): string | undefined {
  const characters = [...name.toLowerCase()]
  const trigrams = characters.slice(2).flatMap((last, index) => {
    const trigram = [...characters.slice(index, index + 2), last]
    // A dot may belong to `İ`, which FTS5 leaves as it is.
    if (trigram.includes(DOT)) return []
    const isFolded = trigram.every((character) => character < '\u0528' && character !== 'ϳ')
    const forms = isFolded ? [trigram.join('')] : spellings(trigram)
    const next = characters[index + 3]
    if (last === 'i' && (next === undefined || next === DOT))
      forms.push(`${trigram[0]}${trigram[1]}İ`)
    return `(${forms.map((form) => `"${form.replaceAll('"', '""')}"`).join(' OR ')})`
  })
  return trigrams.length === 0 ? undefined : [...new Set(trigrams)].join(' AND ')
}
