import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { migrate, pendingMigrations } from '../../server/database/migrate.ts'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/lib/setting-types.ts'
import { createDatabase, dropDatabase, startCluster } from '../support/cluster.ts'
import { SETTINGS } from '../support/service.ts'

const NAMES = ['0001-initial', '0002-mail-and-jobs', '0003-account-life']
const TABLES = [
  'audit_events',
  'audit_leftovers',
  'code_failures',
  'email_changes',
  'job_runs',
  'outbox',
  'password_resets',
  'phone_changes',
  'sessions',
  'sign_ups',
  'users',
]
/** More statements than a first migration has; the loop ends before. */
const STATEMENTS_MAX = 200

const urlOf = (path: string) => pathToFileURL(resolve(import.meta.dirname, path)).href

/** `npm run migrate`, killed at one statement; true if it was. */
async function migrateKilledAt(
  statement: number,
  when: 'before' | 'sent',
  url: string,
): Promise<boolean> {
  const args = ['--import', urlOf('../support/kill-at-statement.ts')]
  const main = resolve(import.meta.dirname, '../../server/main.ts')
  const child = spawn(process.execPath, [...args, main, 'migrate'], {
    cwd: tmpdir(),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...SETTINGS, DATABASE_URL: url, KILL_AT: String(statement), KILL_WHEN: when },
  })
  const [exitCode, signal] = await once(child, 'close')
  if (signal === null) assert.equal(exitCode, 0)
  return signal === 'SIGKILL'
}

/** All tables or none, as the list of migrations says; and the next start completes it. */
async function assertWhole(url: string, moment: string): Promise<void> {
  const parsed = databaseUrl(url)
  const backend = await openDatabase(parsed)
  try {
    // Under the migration's lock: on PostgreSQL the killed one's last statement may still be running.
    const applied = await migrate(parsed, backend)
    const tables = (await backend.writer.introspection.getTables())
      .map((table) => table.name)
      .filter((name) => !/^(sqlite|schema)_/.test(name))

    // Half of it would have made the second run fail or leave tables out.
    assert.ok(applied.length === 0 || applied.length === NAMES.length, moment)
    assert.deepEqual(tables.toSorted(), TABLES, moment)
    assert.deepEqual(await pendingMigrations(backend.reader), [], moment)
  } finally {
    await backend.close()
  }
}

describe('a first migration that is killed at any statement completes at the next start', () => {
  test('on SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-kill-'))
    try {
      let statement = 0
      let killed = true
      while (killed && ++statement < STATEMENTS_MAX) {
        const url = `sqlite:///${join(folder, `${statement}.db`)}`
        killed = await migrateKilledAt(statement, 'before', url)
        await assertWhole(url, `before statement ${statement}`)
      }

      assert.equal(killed, false, 'the migration never ended')
      assert.ok(statement > 10, `only ${statement} statements were seen`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  for (const when of ['before', 'sent'] as const) {
    test(`on PostgreSQL, ${when === 'sent' ? 'while it runs' : 'before it'}`, async () => {
      const cluster = await startCluster({ durable: true })
      try {
        let statement = 0
        let killed = true
        while (killed && ++statement < STATEMENTS_MAX) {
          const name = `kill_${statement}`
          const url = await createDatabase(cluster.url, name)
          killed = await migrateKilledAt(statement, when, url)
          await assertWhole(url, `${when} statement ${statement}`)
          await dropDatabase(cluster.url, name)
        }

        assert.equal(killed, false, 'the migration never ended')
        assert.ok(statement > 10, `only ${statement} statements were seen`)
      } finally {
        await cluster.stop()
      }
    })
  }
})
