export type DatabaseUrl =
  | { readonly kind: 'sqlite'; /** Absent: a private temporary file. */ readonly path?: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** Accepts SQLAlchemy's URL forms with their original meaning. */
export function databaseUrl(value: string): DatabaseUrl {
  const sqlite = /^sqlite(?:\+aiosqlite)?:\/\/\/(.+)$/.exec(value)
  if (sqlite?.[1] !== undefined) {
    return sqlite[1] === ':memory:' ? { kind: 'sqlite' } : { kind: 'sqlite', path: sqlite[1] }
  }
  const expected = 'must be sqlite:///path or postgresql://user:password@host/name'
  const postgres = /^postgres(?:ql)?(?:\+asyncpg)?:\/\/(.+)$/.exec(value)
  if (postgres === null) throw new Error(expected)
  const url = URL.parse(`postgresql://${postgres[1]}`)
  if (url === null) throw new Error(expected)
  // asyncpg spells `sslmode` as `ssl`.
  const ssl = url.searchParams.get('ssl')
  if (ssl !== null) {
    url.searchParams.delete('ssl')
    url.searchParams.set('sslmode', ssl)
  }
  return { kind: 'postgres', url: url.href }
}
