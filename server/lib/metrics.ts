import {
  type Aggregator,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from '@prometheus-io/client'
import { release } from './program.ts'

/** Label values are from bounded sets, never from client input. */
const COUNTERS = {
  limit_refusals: { help: 'Requests refused by a limit.', labels: ['limit'] },
  hash_refusals: { help: 'Requests refused because the hash queue was full.', labels: [] },
} as const satisfies Record<string, { help: string; labels: readonly string[] }>

const REQUEST_LABELS = ['method', 'route', 'status'] as const

export type CounterName = keyof typeof COUNTERS
type RequestLabels = Readonly<Record<(typeof REQUEST_LABELS)[number], string>>
interface Observed {
  /** A gauge if absent. */
  readonly type?: 'counter'
  readonly help: string
  /** Of the values of several processes; `sum` if absent. */
  readonly over?: Aggregator
  readonly read: () => number | Promise<number>
}

/** One metric of a process with its values; can be sent to another process. */
export type Reading = Omit<MetricObject, 'collect'>

export interface Metrics {
  count(name: CounterName, labels?: Readonly<Record<string, string>>): void
  /** Counts a request and observes its duration. */
  countRequest(labels: RequestLabels, seconds: number): void
  /** Registers a metric that is read at each scrape and replaces one of the same name. No prefix. */
  observe(name: string, observed: Observed): void
  /** Registers the default process metrics: memory, CPU time, event loop, garbage collection. */
  observeProcess(): void
  /** All metrics with their values, for `exposeAll`. */
  read(): Promise<readonly Reading[]>
  /** Prometheus' text format 0.0.4. */
  expose(): Promise<string>
}

const PREFIX = 'coffee_shop'

/** Named against Prometheus' rules (`promtool check metrics`), with data that other default metrics have. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
]

const TOTALS = new Set<string>(['counter', 'histogram'])

/** Uses its own registry, because tests run many services in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, { help, labels: labelNames }]) => {
      const options = { name: `${PREFIX}_${name}_total`, help, labelNames, registers }
      return [name, new Counter<string>(options)]
    }),
  )
  const requests = new Counter({
    name: `${PREFIX}_http_requests_total`,
    help: 'Requests by the status of the answer; 499: the client hung up before it.',
    labelNames: REQUEST_LABELS,
    registers,
  })
  const durations = new Histogram({
    name: `${PREFIX}_http_request_duration_seconds`,
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: REQUEST_LABELS,
    registers,
  })
  const { version, commit = '' } = release()
  new Gauge({
    name: `${PREFIX}_build_info`,
    help: 'Always 1; its labels are the version and, if known, the commit.',
    labelNames: ['version', 'commit'],
    aggregator: 'first',
    registers,
  }).set({ version, commit }, 1)
  return {
    count: (name, labels = {}) => counters.get(name)?.inc(labels),
    countRequest(labels, seconds) {
      requests.inc(labels)
      durations.observe(labels, seconds)
    },
    observe(name, { type, help, over = 'sum', read }) {
      const options = { name: `${PREFIX}_${name}`, help, aggregator: over, registers }
      registry.removeSingleMetric(options.name)
      if (type === undefined) {
        const gauge: Gauge = new Gauge({ ...options, collect: async () => gauge.set(await read()) })
        return
      }
      const counter: Counter = new Counter({
        ...options,
        async collect() {
          const value = await read()
          counter.reset()
          counter.inc(value)
        },
      })
    },
    observeProcess() {
      collectDefaultMetrics({ register: registry })
      for (const name of MISNAMED) registry.removeSingleMetric(name)
    },
    read: () => registry.getMetricsAsJSON(),
    expose: () => registry.metrics(),
  }
}

/** The metrics of several processes as one. */
export function exposeAll(processes: readonly (readonly Reading[])[]): Promise<string> {
  return Registry.aggregate([...processes]).metrics()
}

/** The totals of processes, which continue to count when one of them has ended: a decrease would read as a reset. */
export function totalsOf(processes: readonly (readonly Reading[])[]): readonly Reading[] {
  const totals = processes.map((readings) => readings.filter(({ type }) => TOTALS.has(type)))
  return Registry.aggregate(totals).getMetricsAsArray()
}
