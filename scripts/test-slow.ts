// Runs the slow suite once: kill loops, outages, browser, statistics. Arguments are passed on to the
// test runner: npm run test:slow -- test/slow/kill.test.ts
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { migrate } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { createDatabase, startCluster } from '../test/support/cluster.ts'
import { TEMPLATE } from '../test/support/database.ts'

const chosen = process.argv.slice(2)
const files = chosen.length > 0 ? chosen : globSync('test/slow/**/*.test.ts').toSorted()

const cluster = await startCluster({ durable: false })
try {
  const url = await createDatabase(cluster.url, TEMPLATE)
  const backend = await openDatabase({ kind: 'postgres', url })
  await migrate({ kind: 'postgres', url }, backend)
  await backend.close()
  process.exitCode = await runTests(cluster.url)
} finally {
  await cluster.stop()
}

/** One file after the other: what measures time or load must not disturb its neighbour. */
function runTests(postgresUrl: string): Promise<number> {
  const args = ['--test', '--test-concurrency=1', '--test-timeout=600000', ...files]
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_POSTGRES_URL: postgresUrl,
      UV_THREADPOOL_SIZE: '4',
    },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
