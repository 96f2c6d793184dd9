import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { createDatabase, MachineError, startCluster } from '../test/support/cluster.ts'
import { filesFolder, TEMPLATE } from '../test/support/database.ts'

interface How {
  readonly atOnce: number
  readonly options: readonly string[]
}

/** What `npm test -- …` was given: files, and options of the test runner, each in one word. */
export function readArguments(): { files: string[]; options: string[] } {
  const given = process.argv.slice(2)
  const isOption = (argument: string) => argument.startsWith('-')
  return {
    files: given.filter((argument) => !isOption(argument)),
    options: given.filter(isOption),
  }
}

/**
 * Runs test files, each in a process of its own and so many at once, beside a PostgreSQL that they
 * share; returns the exit code.
 */
export async function runFiles(files: readonly string[], how: How): Promise<number> {
  try {
    return await runBesideCluster(files, how)
  } catch (error) {
    if (!(error instanceof MachineError)) throw error
    console.error(`✖ ${error.message}`)
    return 1
  }
}

async function runBesideCluster(
  files: readonly string[],
  { atOnce, options }: How,
): Promise<number> {
  const cluster = await startCluster({ durable: false })
  try {
    const env = await makeTemplates(cluster.url)
    // The time-out ends a hang; a test that waits for something says so long before.
    const args = [
      '--test',
      `--test-concurrency=${atOnce}`,
      '--test-timeout=3600000',
      ...options,
      ...files,
    ]
    const child = spawn(process.execPath, args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        ...env,
        UV_THREADPOOL_SIZE: '4',
        // Half of what a short file costs is Node's work on the sources of the server.
        NODE_COMPILE_CACHE: 'node_modules/.cache/compiled',
      },
    })
    process.once('exit', () => child.kill())
    const [exitCode] = await once(child, 'close')
    return exitCode ?? 1
  } finally {
    await cluster.stop()
  }
}

/** A migrated database of each kind, which every test gets a copy of, by the variables that name them. */
export async function makeTemplates(server: string): Promise<Record<string, string>> {
  // The tests' own files are made in it, too: a run that is interrupted leaves none behind.
  const folder = mkdtempSync(join(filesFolder(), 'coffee-shop-run-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const sqlite = join(folder, 'template.db')
  for (const url of [
    { kind: 'sqlite', path: sqlite },
    { kind: 'postgres', url: await createDatabase(server, TEMPLATE) },
  ] as const) {
    const backend = await openDatabase(url)
    await migrate(url, backend)
    await backend.close()
  }
  return { TEST_POSTGRES_URL: server, TEST_SQLITE_TEMPLATE: sqlite }
}
