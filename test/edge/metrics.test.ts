import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { listenForOperators } from '../../server/api/public/metrics.ts'
import { runDueJobs } from '../../server/schedule/schedule.ts'
import { DAY_MS, HOUR_MS } from '../../server/lib/units.ts'
import { RECURRING_JOBS } from '../../server/accounts/recurring-jobs.ts'
import { runProgram } from '../support/process.ts'
import { times } from '../support/races.ts'
import { FORGOT } from '../support/resets.ts'
import { startServer, startWorkerProcess } from '../support/server-process.ts'
import { type Service, SETTINGS, startService } from '../support/service.ts'

const NAME = /^[a-z_][a-z0-9_]*$/
/** The client writes `Nan`; Prometheus reads it in any case. */
const SAMPLE = /^([a-z_][a-z0-9_]*)(\{.*\})? (Nan|[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?))$/
/** Of a histogram or summary. */
const PART = /_(bucket|sum|count)$/
const LABELS = /^\{([a-z_]+="(?:[^"\\\n]|\\[\\"n])*")(,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\}$/

/** Prometheus' text format 0.0.4, strictly: each metric is described before its samples. */
function parse(text: string): Map<string, number> {
  assert.ok(text.endsWith('\n'))
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (kind !== undefined) {
      assert.match(name, NAME)
      if (kind === 'TYPE') assert.match(rest, /^(counter|gauge|histogram|summary)$/)
      if (kind === 'TYPE') types.set(name, rest)
      continue
    }
    const [, metric = '', labels = '', value] = SAMPLE.exec(line) ?? []
    const type = types.get(metric) ?? types.get(metric.replace(PART, ''))
    assert.ok(type, line)
    if (metric.startsWith('coffee_shop_'))
      assert.equal(type === 'counter', metric.endsWith('_total'), metric)
    if (labels !== '') assert.match(labels, LABELS)
    assert.ok(!samples.has(`${metric}${labels}`), `${line} twice`)
    samples.set(`${metric}${labels}`, Number(value))
  }
  return samples
}

async function startWithMetrics(service: Service) {
  const server = await listenForOperators(service.ctx, { host: '127.0.0.1', port: 0 })
  const { address, port } = server.address() as AddressInfo
  const url = `http://${address}:${port}/metrics`
  return {
    url,
    address,
    scrape: async () => parse(await (await fetch(url)).text()),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('GET /metrics', () => {
  test('200 with the metrics that docs/runbook.md lists, which others may name', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)

    const text = await (await fetch(metrics.url)).text()

    const exposed = [...text.matchAll(/^# TYPE (coffee_shop_\w+) /gm)].map(([, name = '']) => name)
    const namesIn = (file: string, pattern: RegExp) =>
      [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name)
    const listed = namesIn('docs/runbook.md', /^\| `(coffee_shop_\w+)` \|/gm)
    assert.deepEqual(listed.toSorted(), exposed.toSorted())
    for (const file of ['docs/limits.md', 'deploy/prometheus/alerts.yml']) {
      const named = namesIn(file, /(coffee_shop_\w+?)(?:_bucket)?\b/g)
      assert.ok(named.length > 0)
      for (const name of named) assert.ok(exposed.includes(name), `${name} in ${file}`)
    }
  })

  test('200 in Prometheus’ format, on the loopback address and nowhere else', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)

    const answer = await fetch(metrics.url)
    const samples = parse(await answer.text())

    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(metrics.address, '127.0.0.1')
    assert.equal(samples.get('coffee_shop_redis_up'), 0)
    assert.equal(samples.get('coffee_shop_hashes_waiting'), 0)
    assert.equal(samples.get('coffee_shop_mail_overdue'), 0)
    assert.equal(samples.get('coffee_shop_keys_differ'), 0)
    assert.equal(samples.get('coffee_shop_database_up'), 1)
    assert.equal(samples.get('coffee_shop_loops_stuck'), 0)
    assert.equal(samples.get('coffee_shop_hash_refusals_total'), 0)
    assert.equal(samples.get('coffee_shop_pwned_passwords_unanswered_total'), 0)
    assert.ok(Number(samples.get('coffee_shop_event_loop_lag_seconds')) >= 0)
    assert.equal((await service.get('/metrics')).status, 404)
    for (const [url, method] of [
      [metrics.url, 'POST'],
      [metrics.url.replace('/metrics', '/'), 'GET'],
    ] as const)
      assert.equal((await fetch(url, { method })).status, 404)
  })

  test('has the version, with the value 1', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

    const samples = [...(await metrics.scrape())]

    const [name, value] = samples.find(([key]) => key.startsWith('coffee_shop_build_info')) ?? ['']
    assert.ok(name.includes(`version="${version}"`), name)
    assert.equal(value, 1)
  })

  test('counts answers by route, never by URL, and refusals by limit', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)
    for (const n of times(12))
      await service.post(FORGOT, { email: `a${n}@example.com` }, { ip: '198.51.100.1' })
    for (const n of times(5)) await service.get(`/canary-${n}?canary`)
    await service.get('/api/v1/users/42')

    const samples = await metrics.scrape()
    const of = (method: string, route: string, status: number) =>
      samples.get(
        `coffee_shop_http_requests_total{method="${method}",route="${route}",status="${status}"}`,
      )

    assert.equal(of('POST', FORGOT, 202), 10)
    assert.equal(of('POST', FORGOT, 429), 2)
    assert.equal(of('GET', 'none', 404), 5)
    assert.equal(of('GET', '/api/v1/users/:id', 401), 1)
    assert.equal(samples.get('coffee_shop_limit_refusals_total{limit="forgot_network"}'), 2)
    assert.ok(![...samples.keys()].some((name) => name.includes('canary')))
  })

  test('has the duration of each request in a histogram with the same labels', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)
    for (const _ of times(3)) await service.get('/health')

    const samples = await metrics.scrape()

    const labels = 'method="GET",route="/health",status="200"'
    const of = (part: string) => samples.get(`coffee_shop_http_request_duration_seconds_${part}`)
    assert.equal(of(`count{${labels}}`), 3)
    assert.equal(of(`bucket{le="+Inf",${labels}}`), 3)
    const sum = Number(of(`sum{${labels}}`))
    assert.ok(sum > 0 && sum < 60, `${sum} s`)
  })

  test('has memory and processor time of the process, once for each service in it', async () => {
    await using service = await startService()
    await using other = await startService()
    await using metrics = await startWithMetrics(service)
    await using others = await startWithMetrics(other)
    await service.get('/health')

    for (const samples of [await metrics.scrape(), await others.scrape()]) {
      assert.ok(Number(samples.get('process_resident_memory_bytes')) > 1_000_000)
      assert.ok(Number(samples.get('process_cpu_seconds_total')) > 0)
      assert.ok(Number(samples.get('nodejs_heap_size_used_bytes')) > 1_000_000)
    }
    const counted = [...(await others.scrape()).keys()].filter((name) => name.includes('/health'))
    assert.deepEqual(counted, [])
  })

  test('tells of mail that waits for more than a minute', async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)
    await service.signUp('ann@example.com')

    service.advance(61_000)

    assert.equal((await metrics.scrape()).get('coffee_shop_mail_overdue'), 1)
  })

  test('tells of a clean-up that is an hour late', async () => {
    await using service = await startService({ CLEANUP_SCHEDULE: '0 12 * * *' })
    await using metrics = await startWithMetrics(service)
    const isOverdue = async () => (await metrics.scrape()).get('coffee_shop_clean_up_overdue')
    const run = () => runDueJobs(service.ctx, RECURRING_JOBS)

    await run()
    service.advance(DAY_MS + HOUR_MS - 1)
    const justBefore = await isOverdue()
    service.advance(1)
    const anHourLate = await isOverdue()
    await run()
    const done = await isOverdue()

    assert.deepEqual([justBefore, anHourLate, done], [0, 1, 0])
  })
})

describe('METRICS_PORT', () => {
  const settings = { DATABASE_URL: 'sqlite:///:memory:', METRICS_PORT: '0' }
  const urlOf = ({ lines }: { readonly lines: readonly string[] }) => {
    const url = /http:\/\/127\.0\.0\.1:[0-9]+\/metrics/.exec(lines.join('\n'))?.[0]
    assert.ok(url, lines.join('\n'))
    return url
  }

  test('serves them from a server’s process, which stops as ever', async () => {
    await using server = await startServer(settings)
    await fetch(`${server.url}/health`)

    const samples = parse(await (await fetch(urlOf(server))).text())
    server.signal('SIGTERM')

    const health = 'coffee_shop_http_requests_total{method="GET",route="/health",status="200"}'
    assert.equal(samples.get(health), 1)
    assert.equal(await server.ended, 0)
  })

  test('serves them from a worker’s process, which stops as ever', async () => {
    await using worker = await startWorkerProcess(settings)

    const samples = parse(await (await fetch(urlOf(worker))).text())
    worker.signal('SIGTERM')

    assert.equal(samples.get('coffee_shop_mail_overdue'), 0)
    assert.ok(Number(samples.get('process_resident_memory_bytes')) > 1_000_000)
    assert.equal(await worker.ended, 0)
  })
})

for (const [what, args] of [
  ['a start', []],
  ['a worker', ['work']],
] as const) {
  test(`${what} names METRICS_PORT when that port is taken`, async () => {
    await using service = await startService()
    await using metrics = await startWithMetrics(service)
    const METRICS_PORT = new URL(metrics.url).port
    const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', PORT: '0', METRICS_PORT }

    const { exitCode, stderr } = await runProgram(args, { env })

    assert.equal(exitCode, 1)
    assert.match(
      stderr,
      /^Cannot start:\n {2}METRICS_PORT cannot be used: .*EADDRINUSE.*; each process needs a free port of its own\n$/,
    )
  })
}
