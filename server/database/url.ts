import { readPostgresUrl } from './postgres-url.ts'

export type DatabaseUrl =
  | { readonly kind: 'sqlite'; /** Absent: a private temporary file. */ readonly path?: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** Accepts SQLAlchemy's URL forms with their original meaning. */
export function databaseUrl(value: string): DatabaseUrl {
  const sqlite = /^sqlite(?:\+aiosqlite)?:\/\/\/([^?]+)(\?.*)?$/s.exec(value)
  if (sqlite?.[1] !== undefined) {
    // Unread, they would be part of the file's name.
    if (sqlite[2] !== undefined) throw new Error(`has ${namesOf(sqlite[2])}: SQLite takes none`)
    return sqlite[1] === ':memory:' ? { kind: 'sqlite' } : { kind: 'sqlite', path: sqlite[1] }
  }
  const postgres = /^postgres(?:ql)?(?:\+asyncpg)?:\/\/(.*)$/s.exec(value)
  if (postgres === null)
    throw new Error('must be sqlite:///path or postgresql://user:password@host/name')
  // asyncpg spells `sslmode` as `ssl`.
  const url = `postgresql://${postgres[1]}`.replace(/([?&])ssl=/, '$1sslmode=')
  readPostgresUrl(url)
  return { kind: 'postgres', url }
}

function namesOf(query: string): string {
  const names = [...query.matchAll(/[?&](\w{1,40})(?==|&|$)/g)].map(([, name]) => name)
  return `parameters (${names.join(', ')})`
}
