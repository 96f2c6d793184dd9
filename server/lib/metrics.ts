/** What is counted, with what it means and its labels. Their values are of bounded sets, never a caller's text. */
const COUNTERS = {
  http_requests: {
    help: 'Requests by the status of the answer; 499: the client hung up before it.',
    labels: ['method', 'route', 'status'],
  },
  limit_refusals: { help: 'Requests refused by a limit.', labels: ['limit'] },
  hash_refusals: { help: 'Requests refused because the hash queue was full.', labels: [] },
} as const satisfies Record<string, { help: string; labels: readonly string[] }>

export type CounterName = keyof typeof COUNTERS
type Labels = Readonly<Record<string, string>>
interface Observed {
  /** A gauge, if left out. */
  readonly type?: 'counter'
  readonly help: string
  readonly read: () => number | Promise<number>
}

export interface Metrics {
  /** Adds one. */
  count(name: CounterName, labels?: Labels): void
  /** Read afresh for each scrape; the name without prefix. */
  observe(name: string, observed: Observed): void
  /** Prometheus' text format 0.0.4. */
  expose(): Promise<string>
}

const PREFIX = 'coffee_shop'

export function createMetrics(): Metrics {
  const counts = new Map<CounterName, Map<string, number>>(
    Object.entries(COUNTERS).map(([name, { labels }]) => [
      name as CounterName,
      // Without labels there is one series: it is there from the first scrape, as 0.
      new Map(labels.length === 0 ? [['', 0]] : []),
    ]),
  )
  const observed = new Map<string, Observed>()
  return {
    count(name, labels = {}) {
      const series = counts.get(name)
      const key = labelText(labels)
      series?.set(key, (series.get(key) ?? 0) + 1)
    },
    observe: (name, one) => void observed.set(name, one),
    async expose() {
      const counters = [...counts].flatMap(([name, series]) => [
        ...heading(`${PREFIX}_${name}_total`, 'counter', COUNTERS[name].help),
        ...[...series].map(([labels, value]) => `${PREFIX}_${name}_total${labels} ${value}`),
      ])
      const read = await Promise.all(
        [...observed].map(async ([name, { type = 'gauge', help, read: value }]) => [
          ...heading(`${PREFIX}_${name}`, type, help),
          `${PREFIX}_${name} ${await value()}`,
        ]),
      )
      return [...counters, ...read.flat(), ''].join('\n')
    },
  }
}

function heading(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
