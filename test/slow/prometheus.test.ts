import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createDatabase, freePort } from '../support/cluster.ts'
import { temporaryFolder } from '../support/process.ts'
import { absent, startDebianProgram } from '../support/programs.ts'
import { startServer, startWorkerProcess, type WorkerProcess } from '../support/server-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const SAMPLES = 'deploy/prometheus'
const skip = absent('prometheus', 'promtool')

function assertPromtool(args: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''], stdout)
}

function portOf({ lines }: WorkerProcess): string {
  const port = /metrics at http:\S+:(\d+)\/metrics/.exec(lines.join('\n'))?.[1]
  assert.ok(port, lines.join('\n'))
  return port
}
const read = async (process: WorkerProcess, path: string) =>
  await (await fetch(`http://127.0.0.1:${portOf(process)}${path}`)).text()

/** A server and a worker on PostgreSQL, behind a network that can fail. */
async function startBoth() {
  const clusterUrl = process.env['TEST_POSTGRES_URL'] ?? ''
  const proxy = await startTcpProxy(await createDatabase(clusterUrl, `prometheus_${process.pid}`))
  const settings = { DATABASE_URL: proxy.url, WORKER: 'separate', METRICS_PORT: '0' }
  const server = await startServer(settings)
  const worker = await startWorkerProcess(settings)
  return {
    proxy,
    server,
    worker,
    async [Symbol.asyncDispose]() {
      await Promise.all([server.kill(), worker.kill()])
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** The sample with the ports of this test, and not as patient. */
async function startPrometheus(folder: string, ports: readonly string[]) {
  const config = readFileSync(join(SAMPLES, 'prometheus.yml'), 'utf8')
  const targets = ports.map((port) => `'127.0.0.1:${port}'`).join(', ')
  const ours = config
    .replace("'127.0.0.1:9464', '127.0.0.1:9465'", targets)
    .replace('scrape_interval: 15s', 'scrape_interval: 4s')
    .replace('evaluation_interval: 15s', 'evaluation_interval: 1s')
  writeFileSync(join(folder, 'prometheus.yml'), ours)
  copyFileSync(join(SAMPLES, 'alerts.yml'), join(folder, 'alerts.yml'))
  const port = await freePort()
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const program = await startDebianProgram('prometheus', args, { port, cwd: folder })
  const get = async (path: string): Promise<any> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    return ((await answer.json()) as { data: unknown }).data
  }
  return {
    ...program,
    rules: async (): Promise<{ name: string; health: string; state: string }[]> =>
      (await get('rules')).groups.flatMap(({ rules }: { rules: unknown }) => rules),
    /** The values of an instant query, in no order. */
    async query(expression: string): Promise<string[]> {
      const { result } = await get(`query?${new URLSearchParams({ query: expression }).toString()}`)
      return result.map(({ value }: { value: [number, string] }) => value[1])
    },
  }
}

describe('deploy/prometheus', { skip }, () => {
  test('promtool takes configuration and alerts, which fire when they should', () => {
    assertPromtool(['check', 'config', join(SAMPLES, 'prometheus.yml')])
    assertPromtool(['check', 'rules', join(SAMPLES, 'alerts.yml')])
    assertPromtool(['test', 'rules', 'test/slow/prometheus-alerts.yml'])
  })

  test('Prometheus scrapes server and worker, finds nothing to mend in them, and sees an outage of the database', async () => {
    await using both = await startBoth()
    const { proxy, server, worker } = both
    using folder = temporaryFolder()
    await using prometheus = await startPrometheus(folder.path, [portOf(server), portOf(worker)])
    const has = (expression: string, ...values: string[]) =>
      until(
        () => `${expression}\n${prometheus.said()}`,
        async () =>
          JSON.stringify((await prometheus.query(expression)).toSorted()) ===
          JSON.stringify(values),
      )

    for (const process of [server, worker])
      assertPromtool(['check', 'metrics'], await read(process, '/metrics'))
    await has('up{job="coffee-shop"}', '1', '1')
    await has('coffee_shop_database_up', '1', '1')
    await has('coffee_shop_clean_up_overdue', '0', '0')

    proxy.swallow()
    await has('ALERTS{alertname="DatabaseDown"}', '1', '1')
    const during = await Promise.all([server, worker].map((one) => read(one, '/metrics')))
    const health = await Promise.all([server, worker].map((one) => read(one, '/health')))
    await has('up{job="coffee-shop"}', '1', '1')
    proxy.heal()
    await has('ALERTS{alertname="DatabaseDown"}')

    for (const text of during) assertPromtool(['check', 'metrics'], text)
    assert.deepEqual(health, ['{"status":"healthy"}', '{"status":"healthy"}'])
    const rules = await prometheus.rules()
    assert.ok(rules.length > 0)
    assert.deepEqual(
      rules.filter((rule) => rule.health !== 'ok'),
      [],
    )
  })
})
