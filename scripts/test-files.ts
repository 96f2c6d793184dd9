import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { migrate } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { createDatabase, startCluster } from '../test/support/cluster.ts'
import { TEMPLATE } from '../test/support/database.ts'

/**
 * Runs test files, each in a process of its own and so many at once, beside a PostgreSQL that they
 * share; returns the exit code.
 */
export async function runFiles(files: readonly string[], atOnce: number): Promise<number> {
  const cluster = await startCluster({ durable: false })
  try {
    const url = await createDatabase(cluster.url, TEMPLATE)
    const backend = await openDatabase({ kind: 'postgres', url })
    await migrate({ kind: 'postgres', url }, backend)
    await backend.close()
    // The time-out is for a hang: beside other work a test may take as long as it needs.
    const args = ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=1800000', ...files]
    const child = spawn(process.execPath, args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        TEST_POSTGRES_URL: cluster.url,
        UV_THREADPOOL_SIZE: '4',
        // Half of what a short file costs is Node's work on the sources of the server.
        NODE_COMPILE_CACHE: 'node_modules/.cache/compiled',
      },
    })
    const [exitCode] = await once(child, 'close')
    return exitCode ?? 1
  } finally {
    await cluster.stop()
  }
}
