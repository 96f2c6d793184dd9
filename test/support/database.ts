import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, dropDatabase } from './cluster.ts'

/** The databases' names in scripts/test.ts. */
export const TEMPLATE = 'template_coffee_shop'

/** Which database this run is about. scripts/test.ts runs the suite once for each. */
export const DATABASE = process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite'

/** Where a file costs no disk: SQLite syncs at every commit, and no quick test cuts the power. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/**
 * A database of its own for one test: migrated (copied from the template of this run), or if
 * `migrated` is false empty on PostgreSQL and absent on SQLite.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  if (DATABASE === 'sqlite') {
    const folder = mkdtempSync(join(MEMORY, 'coffee-shop-test-'))
    const template = process.env['TEST_SQLITE_TEMPLATE']
    if (migrated && template !== undefined) copyFileSync(template, join(folder, 'app.db'))
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
