import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/support/cluster.ts'
import { rssOf } from '../test/support/process-size.ts'
import type { Databases, Engine } from './databases.ts'
import { installPackages } from './install.ts'
import type { Line } from './lines.ts'
import { ROOT, startServer } from './processes.ts'
import { ourSettings, START } from './targets.ts'

const POLL_MS = 20

interface Start {
  readonly cpuMs: number
  readonly wallMs: number
  readonly idleMb: number
}

interface Options {
  readonly engine: Engine
  readonly rounds: number
  /** One second after it listens, a process gives back what its start left behind. */
  readonly idleAfterMs: number
}

interface Program {
  readonly args: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** From the start of a process to its first 200, against a hello of Fastify's; on a database that is there. */
export async function measureStarts(
  databases: Databases,
  { engine, rounds, idleAfterMs }: Options,
): Promise<Line[]> {
  const { folder, ...database } = await databases.create(engine, 'start')
  const env = { ...ourSettings(database), HOST: '127.0.0.1' }
  const image = bundle()
  try {
    const programs: Record<'hello' | 'checkout' | 'image', Program> = {
      hello: { args: [resolve(import.meta.dirname, 'hello.mjs')], folder, env: {} },
      checkout: { args: START, folder, env },
      image: { args: imageCommand(), folder: image, env },
    }
    for (const program of Object.values(programs)) await startFirst(program)
    const starts: Record<keyof typeof programs, Start[]> = { hello: [], checkout: [], image: [] }
    for (let round = 0; round < rounds; round++)
      for (const name of ['hello', 'checkout', 'image'] as const)
        starts[name].push(await start(programs[name], idleAfterMs))
    return [
      ...linesOf('from the checkout', starts.checkout, {
        hello: starts.hello,
        times: 3,
        idleMb: 120,
        engine,
      }),
      ...linesOf('as the image starts it', starts.image, {
        hello: starts.hello,
        times: 2,
        idleMb: 90,
        engine,
      }),
    ]
  } finally {
    rmSync(image, { recursive: true, force: true })
  }
}

interface Against {
  readonly hello: readonly Start[]
  readonly times: number
  readonly idleMb: number
  readonly engine: Engine
}

function linesOf(how: string, starts: readonly Start[], against: Against): Line[] {
  const { hello, times, idleMb, engine } = against
  const ratios = (key: 'cpuMs' | 'wallMs') =>
    starts.map((one, at) => one[key] / (hello[at]?.[key] ?? Number.NaN))
  return [
    {
      part: 'start',
      unit: 'ratio',
      what: `start against Fastify’s hello, ${how}`,
      engine,
      goal: { atMost: times },
      measured: ratios('cpuMs'),
      byWall: ratios('wallMs'),
    },
    {
      part: 'start',
      what: `start to the first 200, ${how}`,
      engine,
      unit: 'ms',
      measured: starts.map(({ cpuMs }) => cpuMs),
      byWall: starts.map(({ wallMs }) => wallMs),
    },
    {
      part: 'memory',
      what: `idle memory, ${how}`,
      engine,
      goal: { atMost: idleMb },
      unit: 'MB',
      measured: starts.map((one) => one.idleMb),
    },
  ]
}

/** Migrates, and fills the cache of compiled files. */
async function startFirst(program: Program): Promise<void> {
  const { pid } = await startServer({ ...program, port: await freePort() })
  process.kill(pid, 'SIGTERM')
  while (existsSync(`/proc/${pid}`)) await delay(POLL_MS)
}

async function start(program: Program, idleAfterMs: number): Promise<Start> {
  const server = await startServer({ ...program, port: await freePort() })
  await delay(idleAfterMs)
  const idleMb = rssOf(server.pid)
  await server.stop()
  return { cpuMs: server.startCpuMs, wallMs: server.startWallMs, idleMb }
}

/** The folder that the image holds, made as the Dockerfile makes it. */
function bundle(): string {
  installPackages('tools/bundler')
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-bundle-'))
  const { status, stderr } = spawnSync(process.execPath, ['tools/bundler/bundle.mjs', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (status !== 0 || !existsSync(join(folder, 'server'))) throw new Error(stderr)
  return folder
}

/** What follows `node` in the Dockerfile. */
function imageCommand(): string[] {
  const dockerfile = readFileSync(resolve(ROOT, 'Dockerfile'), 'utf8')
  const [program, ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  if (program !== 'node') throw new Error('the image starts something else than node')
  return args
}
