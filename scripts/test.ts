// Runs the quick suite on SQLite and on PostgreSQL at the same time. Arguments are passed on to the
// test runner: npm test -- test/api/auth/log-in.test.ts
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { MachineError, startCluster } from '../test/support/cluster.ts'
import { makeTemplates, readArguments } from './test-files.ts'

/** What has no SQL of its own. */
const ONCE = ['client', 'edge', 'unit', 'docs'].map((folder) => `test/${folder}/**/*.test.ts`)
const ON_BOTH = ['test/*.test.ts', 'test/api/**/*.test.ts']

const { files: chosen, options } = readArguments()
const matching = (patterns: readonly string[]) =>
  patterns.flatMap((pattern) => globSync(pattern).toSorted())
const withoutSql = matching(ONCE)
const onBoth =
  chosen.length > 0 ? chosen.filter((file) => !withoutSql.includes(file)) : matching(ON_BOTH)
const onlyOnce = chosen.length > 0 ? chosen.filter((file) => withoutSql.includes(file)) : withoutSql

interface Lane {
  readonly name: string
  readonly database: 'sqlite' | 'postgres'
  readonly files: readonly string[]
}

/** Each is a process; they run at once, and take about as long as one another. */
const lanes: readonly Lane[] = [
  { name: 'on sqlite', database: 'sqlite' as const, files: onBoth },
  { name: 'without SQL', database: 'sqlite' as const, files: onlyOnce },
  ...[0, 1].map((half) => ({
    name: `on postgres, ${half + 1} of 2`,
    database: 'postgres' as const,
    files: onBoth.filter((_, index) => index % 2 === half),
  })),
].filter(({ files }) => files.length > 0)

try {
  process.exitCode = await runLanes()
} catch (error) {
  if (!(error instanceof MachineError)) throw error
  console.error(`✖ ${error.message}`)
  process.exitCode = 1
}

async function runLanes(): Promise<number> {
  const cluster = await startCluster({ durable: false })
  try {
    const env = await makeTemplates(cluster.url)
    const running = lanes.map((lane, index) => {
      // Line by line among the others', nobody could read any of them: the first prints, they wait.
      const child = start(lane, { env, stdout: index === 0 ? 'inherit' : 'pipe' })
      return { ...lane, child, printed: child.stdout === null ? '' : text(child.stdout) }
    })
    const failed: string[] = []
    for (const { name, child, printed } of running) {
      console.log(`\n▶ ${name}`)
      process.stdout.write(await printed)
      if ((await endOf(child)) !== 0) failed.push(name)
    }
    if (failed.length > 0) console.error(`\n✖ failed ${failed.join('; ')}`)
    return failed.length > 0 ? 1 : 0
  } finally {
    await cluster.stop()
  }
}

/** All files in one process: one for each would spend half of the time on loading the server. */
function start(
  { database, files }: Lane,
  { env, stdout }: { env: Record<string, string>; stdout: 'inherit' | 'pipe' },
): ChildProcess {
  // The time-out ends a hang, and holds for a whole suite, too.
  const args = ['--test', '--test-isolation=none', '--test-timeout=1800000', ...options, ...files]
  const child = spawn(process.execPath, args, {
    stdio: ['inherit', stdout, 'inherit'],
    env: { ...process.env, ...env, TEST_DATABASE: database, UV_THREADPOOL_SIZE: '4' },
  })
  process.once('exit', () => child.kill())
  return child
}

async function endOf(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? 1
}
