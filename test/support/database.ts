import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, dropDatabase } from './cluster.ts'

/** The databases' names in scripts/test.ts. */
export const TEMPLATE = 'template_coffee_shop'

/** Which database this run is about. scripts/test.ts runs the suite once for each. */
export const DATABASE = process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite'

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/**
 * A database of its own for one test: on SQLite absent, on PostgreSQL migrated (copied from a
 * template), or empty if `migrated` is false.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  if (DATABASE === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-test-'))
    return {
      url: `sqlite:///${join(folder, 'app.db')}`,
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    }
  }
  const server = process.env['TEST_POSTGRES_URL']
  if (server === undefined)
    throw new Error('TEST_POSTGRES_URL is missing: run npm test, which sets it')
  const name = `test_${randomBytes(8).toString('hex')}`
  return {
    url: await createDatabase(server, name, migrated ? TEMPLATE : undefined),
    drop: () => dropDatabase(server, name),
  }
}
