import { type RawBuilder, sql } from 'kysely'

/** The condition of a search for literal text in the address or the name of a user, case-insensitive. */
export function matching(q: string): RawBuilder<boolean> {
  // `%`, `_` and the escape character match literally.
  const pattern = `%${q.normalize('NFC').replace(/[\\%_]/g, String.raw`\$&`)}%`
  // The database lowers both sides of a name: PostgreSQL and JavaScript differ on `Σ` and `İ`.
  return sql<boolean>`(email_canonical like ${pattern.toLowerCase()} escape '\\' or lower(full_name) like lower(${pattern}) escape '\\')`
}
