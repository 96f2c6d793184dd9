// Runs the quick suite on SQLite and on PostgreSQL at the same time. Arguments are passed on to the
// test runner: npm test -- test/api/log-in.test.ts
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { migrate } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { createDatabase, startCluster } from '../test/support/cluster.ts'
import { TEMPLATE } from '../test/support/database.ts'

/** Those that need no database or choose it themselves run once. */
const ONCE = ['test/unit/**/*.test.ts', 'test/docs/**/*.test.ts']
const ON_BOTH = ['test/*.test.ts', 'test/api/**/*.test.ts']

const chosen = process.argv.slice(2)
const filesOf = (patterns: readonly string[]) =>
  chosen.length > 0 ? chosen : patterns.flatMap((pattern) => globSync(pattern).toSorted())

const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-template-'))
const cluster = await startCluster({ durable: false })
try {
  const env = await makeTemplates()
  const postgres = start('postgres', filesOf(ON_BOTH), { env, stdout: 'pipe' })
  const postgresSays = postgres.stdout === null ? '' : text(postgres.stdout)
  console.log('\n▶ on sqlite')
  const sqlite = start('sqlite', filesOf([...ON_BOTH, ...ONCE]), { env, stdout: 'inherit' })

  const sqliteCode = await endOf(sqlite)
  // Line by line among the other's, nobody could read either.
  console.log('\n▶ on postgres')
  process.stdout.write(await postgresSays)
  process.exitCode = sqliteCode || (await endOf(postgres))
} finally {
  await cluster.stop()
  rmSync(folder, { recursive: true })
}

/** A migrated database of each kind, which every test gets a copy of. */
async function makeTemplates(): Promise<Record<string, string>> {
  const sqlite = join(folder, 'template.db')
  const postgres = await createDatabase(cluster.url, TEMPLATE)
  for (const url of [
    { kind: 'sqlite', path: sqlite },
    { kind: 'postgres', url: postgres },
  ] as const) {
    const backend = await openDatabase(url)
    await migrate(url, backend)
    await backend.close()
  }
  return { TEST_POSTGRES_URL: cluster.url, TEST_SQLITE_TEMPLATE: sqlite }
}

/** All files in one process: one for each would spend half of the time on loading the server. */
function start(
  database: string,
  files: readonly string[],
  { env, stdout }: { env: Record<string, string>; stdout: 'inherit' | 'pipe' },
): ChildProcess {
  const args = ['--test', '--test-isolation=none', '--test-timeout=60000', ...files]
  return spawn(process.execPath, args, {
    stdio: ['inherit', stdout, 'inherit'],
    env: { ...process.env, ...env, TEST_DATABASE: database, UV_THREADPOOL_SIZE: '4' },
  })
}

async function endOf(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? 1
}
