import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { compareSchema, migrate } from '../../server/database/migrate.ts'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { createDatabase, query } from '../support/cluster.ts'
import { LONG } from '../support/long.ts'
import { isKilledAt } from '../support/killed-command.ts'
import { MIGRATIONS, TABLES } from '../support/schema.ts'

/** More statements than a first migration has; the loop ends before. */
const STATEMENTS_MAX = 200

/** They are alike: one of a few, at each run the same, of which the three ways take different ones. */
const STEP = LONG ? 1 : 5

const MIGRATE = { file: 'migrate.ts', name: 'migrateDatabase' }

/** All tables or none, as the list of migrations says; and the next start completes it. */
async function assertWhole(url: string, moment: string): Promise<void> {
  const parsed = databaseUrl(url)
  const backend = await openDatabase(parsed)
  try {
    // Under the migration's lock: on PostgreSQL the killed one's last statement may still be running.
    const applied = await migrate(parsed, backend)
    const tables = (await backend.writer.introspection.getTables())
      .map((table) => table.name)
      .filter((name) => TABLES.includes(name))

    // Half of it would have made the second run fail or leave tables out.
    assert.ok(applied.length === 0 || applied.length === MIGRATIONS.length, moment)
    assert.deepEqual(tables.toSorted(), TABLES, moment)
    assert.deepEqual((await compareSchema(backend.reader)).pending, [], moment)
  } finally {
    await backend.close()
  }
}

/** Kills it at one statement after the other, until there is none that it could be killed at. */
async function killAtEach(
  when: 'before' | 'sent',
  first: number,
  withDatabase: (statement: number, work: (url: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  let statement = first - STEP
  let killed = true
  while (killed && (statement += STEP) < STATEMENTS_MAX) {
    await withDatabase(statement, async (url) => {
      killed = await isKilledAt(statement, MIGRATE, { url, when })
      await assertWhole(url, `${when} statement ${statement}`)
    })
  }

  assert.equal(killed, false, 'the migration never ended')
  assert.ok(statement > 10, `only ${statement} statements were seen`)
}

describe(
  'a first migration that is killed at any statement completes at the next start',
  { concurrency: true },
  () => {
    test('on SQLite', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-kill-'))
      try {
        await killAtEach('before', 1, (statement, work) =>
          work(`sqlite:///${join(folder, `${statement}.db`)}`),
        )
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    for (const when of ['before', 'sent'] as const) {
      test(`on PostgreSQL, ${when === 'sent' ? 'while it runs' : 'before it'}`, async () => {
        const url = await createDatabase(process.env['TEST_POSTGRES_URL'] ?? '', `kill_${when}`)
        await killAtEach(when, when === 'sent' ? 2 : 3, async (_statement, work) => {
          await work(url)
          await query(url, 'drop schema public cascade; create schema public')
        })
      })
    }
  },
)
