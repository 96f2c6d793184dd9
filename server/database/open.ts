import { setTimeout as delay } from 'node:timers/promises'
import type { DatabaseUrl } from './url.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Backend } from './connect.ts'
import type { PostgresOptions } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

const PATIENCE_MS = 5 * SECOND_MS

/** Opens the database of the URL; PostgreSQL connects at the first query. */
export async function openDatabase(
  url: DatabaseUrl,
  options: PostgresOptions = {},
): Promise<Backend> {
  if (url.kind === 'postgres') {
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(url.url, options)
  }
  // Two processes that create the same file collide while one of them switches it to WAL.
  for (const startedAt = performance.now(); ; await delay(20)) {
    try {
      return openSqlite(url.path)
    } catch (error) {
      const locked = error instanceof Error && /locked/.test(error.message)
      if (!locked || performance.now() - startedAt > PATIENCE_MS) throw error
    }
  }
}
