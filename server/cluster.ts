import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import { type Operated, serveOperators } from './api/public/metrics.ts'
import type { OpenOptions } from './open.ts'
import { type Parent, type Reported, type Running, serveMetrics, stopMetrics } from './serve.ts'
import { createLocalCounts, type LocalChange, type LocalCounts } from './limits/local.ts'
import { type Call, connectCalls } from './lib/calls.ts'
import { exposeAll, type Reading, totalsOf } from './lib/metrics.ts'
import { MINUTE_MS, SECOND_MS } from './lib/units.ts'

// Several processes share one port. The parent holds the socket, keeps what the processes count and replaces
// those that end. It opens no database and serves no request, so that little can make it fail.

interface ParentOptions extends OpenOptions {
  /** Of the processes; undefined removes a variable. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

interface Child {
  readonly pid: number | undefined
  readonly call: Call
  readonly kill: () => void
  /** False if it ended before it served. */
  readonly started: Promise<boolean>
  /** Resolves to the exit code, null after a signal. */
  readonly ended: Promise<number | null>
  /** The metrics that it last reported. */
  readings: readonly Reading[]
}

/** A process that ends sooner is replaced after a pause, which doubles each time. */
const STABLE_MS = 10 * SECOND_MS
const PAUSE_MIN_MS = SECOND_MS / 2
const PAUSE_MAX_MS = MINUTE_MS / 2
/** To leave the port and to stop; see `leave` of serve.ts, and main.ts. */
const LEAVE_MAX_MS = 22 * SECOND_MS
/** More than a scrape may wait for the database. */
const REPORT_MAX_MS = 3 * SECOND_MS

/** Undefined if the first process does not start: it has told why. */
export async function serveInProcesses(options: ParentOptions): Promise<Running | undefined> {
  const { config, log, environment } = options
  const localCounts = createLocalCounts(config, () => performance.now())
  const children = new Set<Child>()
  const operated = operate(children, options)
  let isSupervising = false
  // Each process accepts by itself: a connection that the parent hands to one that is killed would stay open
  // without an answer.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  // JSON has no NaN, which metrics have.
  cluster.setupPrimary({ serialization: 'advanced' })

  function launch({ silently, failures = 0 }: { silently: boolean; failures?: number }): Child {
    const startedAt = performance.now()
    const worker = cluster.fork({ ...environment, CHILD_STARTS: silently ? 'silently' : 'first' })
    const child = connectChild(worker, localCounts)
    children.add(child)
    void child.ended.then((exitCode) => {
      children.delete(child)
      operated.ended(child)
      if (!isSupervising || children.size >= config.processes) return
      const isStable = performance.now() - startedAt >= STABLE_MS
      void replace({ pid: child.pid, exit_code: exitCode }, isStable ? 0 : failures + 1)
    })
    return child
  }
  async function replace(ended: object, failures: number): Promise<void> {
    const pauseMs = failures && Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (failures - 1))
    log.error({ ...ended, pause_ms: pauseMs }, 'a process ended and is replaced')
    await delay(pauseMs, undefined, { ref: false })
    if (isSupervising && children.size < config.processes) launch({ silently: true, failures })
  }
  const kill = () => {
    for (const child of children) child.kill()
  }
  process.once('exit', kill)
  const restart = createRestart({ children, launch, isStopping: () => !isSupervising }, log)

  const first = launch({ silently: false })
  if (!(await first.started)) return undefined
  const metrics = await serveMetrics(options, (address) => serveOperators(operated, address))
  isSupervising = true
  while (children.size < config.processes) launch({ silently: true })
  log.info({ processes: config.processes }, `${config.processes} processes serve the port`)
  return {
    announceStop: () => tellAll(children, 'announceStop'),
    restart,
    kill,
    async stop() {
      isSupervising = false
      stopMetrics(metrics)
      tellAll(children, 'stop')
      const exitCodes = await Promise.all([...children].map(({ ended }) => ended))
      return exitCodes.every((exitCode) => exitCode === 0)
    },
  }
}

/** The other end of `connectToParent`. */
function connectChild(worker: Worker, localCounts: LocalCounts): Child {
  const { promise: started, resolve: setStarted } = Promise.withResolvers<boolean>()
  const { promise: ended, resolve: setEnded } = Promise.withResolvers<number | null>()
  const call = connectCalls(worker, {
    started: () => setStarted(true),
    change: (change: LocalChange) => localCounts.change(change),
  })
  worker.once('exit', (exitCode) => {
    setStarted(false)
    setEnded(exitCode)
  })
  worker.on('error', () => {
    // It could not be started; other errors come before its end.
    if (worker.process.pid === undefined) worker.emit('exit', null)
  })
  const kill = () => void worker.process.kill('SIGKILL')
  return { pid: worker.process.pid, call, kill, started, ended, readings: [] }
}

interface Restarting {
  readonly children: ReadonlySet<Child>
  readonly launch: (how: { silently: boolean }) => Child
  readonly isStopping: () => boolean
}

/** Replaces one process after the other, each when another one serves. During a restart it queues one more. */
function createRestart(
  { children, launch, isStopping }: Restarting,
  log: ParentOptions['log'],
): () => void {
  let running: Promise<void> | undefined
  let isDue = false

  async function restart(): Promise<void> {
    const before = [...children]
    log.info('restarting one process after the other')
    for (const [index, child] of before.entries()) {
      if (isStopping()) return
      // Ended by itself, and replaced.
      if (!children.has(child)) continue
      if (!(await launch({ silently: index > 0 }).started)) {
        log.error('the new process does not start: those that run serve on')
        return
      }
      await leave(child)
    }
    log.info('restarted')
  }
  async function restartWhileDue(): Promise<void> {
    while (isDue && !isStopping()) {
      isDue = false
      await restart()
    }
    running = undefined
  }
  return () => {
    isDue = true
    running ??= restartWhileDue()
  }
}

async function leave(child: Child): Promise<void> {
  await report(child)
  const timer = setTimeout(child.kill, LEAVE_MAX_MS)
  tellAll([child], 'leave')
  await child.ended
  clearTimeout(timer)
}

function tellAll(children: Iterable<Child>, order: keyof Orders): void {
  // What has ended needs no orders.
  for (const { call } of children) call(order).catch(() => {})
}

/** Adds up what the processes report. */
function operate(
  children: ReadonlySet<Child>,
  { log }: ParentOptions,
): Operated & { ended(child: Child): void } {
  let totals: readonly Reading[] = []
  return {
    log,
    async scrape() {
      await Promise.all([...children].map(report))
      return exposeAll([totals, ...[...children].map(({ readings }) => readings)])
    },
    async stuck() {
      // One that ends meanwhile does not hang.
      const ask = ({ call, ended }: Child) => call('stuck').catch(() => ended.then(() => []))
      const all = [...children].map((child) =>
        inTime(ask(child)).catch(() => [`process ${child.pid}`]),
      )
      return [...new Set((await Promise.all(all)).flat() as string[])]
    },
    ended({ readings }) {
      totals = totalsOf([totals, readings])
    },
  }
}

/** A process that does not answer keeps what it last reported. */
async function report(child: Child): Promise<void> {
  try {
    child.readings = (await inTime(child.call('readings'))) as readonly Reading[]
  } catch {}
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = delay(REPORT_MAX_MS, undefined, { ref: false })
  return Promise.race([answer, late.then(() => Promise.reject(new Error('no answer')))])
}

/** What a parent orders. */
export interface Orders {
  announceStop(): void
  leave(): void
  stop(): void
}

export interface ConnectedParent extends Parent {
  /** Reports that this process serves. */
  started(): void
}

/** In one of several processes. It ends by itself when its parent has (`disconnect` of node:cluster). */
export function connectToParent({ announceStop, leave, stop }: Orders): ConnectedParent {
  let reported: Reported = { readings: async () => [], stuck: () => [] }
  const call = connectCalls(process, {
    announceStop,
    leave,
    stop,
    readings: () => reported.readings(),
    stuck: () => reported.stuck(),
  })
  return {
    localCounts: {
      change: (change) => call('change', change) as ReturnType<LocalCounts['change']>,
    },
    operate: (own) => void (reported = own),
    started: () => void call('started').catch(() => {}),
  }
}
