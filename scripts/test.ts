// Runs the quick suite once on SQLite and once on PostgreSQL. Arguments are passed on to the test
// runner: npm test -- test/api/log-in.test.ts
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { createDatabase, startCluster } from '../test/support/cluster.ts'
import { TEMPLATE } from '../test/support/database.ts'

/** Those that need no database or choose it themselves run once. */
const ONCE = ['test/unit/**/*.test.ts', 'test/docs/**/*.test.ts']
const ON_BOTH = ['test/*.test.ts', 'test/api/**/*.test.ts']

const chosen = process.argv.slice(2)
const on = (database: string, patterns: readonly string[], env: Record<string, string> = {}) =>
  runTests(
    database,
    chosen.length > 0 ? chosen : patterns.flatMap((pattern) => globSync(pattern)),
    env,
  )

const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-template-'))
const cluster = await startCluster({ durable: false })
try {
  const url = await createDatabase(cluster.url, TEMPLATE)
  const backend = await openDatabase({ kind: 'postgres', url })
  await migrate({ kind: 'postgres', url }, backend)
  await backend.close()
  const template = join(folder, 'template.db')
  const file = await openDatabase({ kind: 'sqlite', path: template })
  await migrate({ kind: 'sqlite', path: template }, file)
  await file.close()
  const env = { TEST_POSTGRES_URL: cluster.url, TEST_SQLITE_TEMPLATE: template }
  const postgres = await on('postgres', ON_BOTH, env)
  const sqlite = await on('sqlite', [...ON_BOTH, ...ONCE], env)
  process.exitCode = postgres || sqlite
} finally {
  await cluster.stop()
  rmSync(folder, { recursive: true })
}

function runTests(
  database: string,
  files: readonly string[],
  env: Record<string, string>,
): Promise<number> {
  console.log(`\n▶ on ${database}`)
  const args = ['--test', '--test-timeout=60000', ...files]
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      TEST_DATABASE: database,
      UV_THREADPOOL_SIZE: '4',
      // Each file is a process: without it, half a second of each goes into compiling the server.
      NODE_COMPILE_CACHE: 'node_modules/.cache/compiled',
    },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
