import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { temporaryFolder } from '../support/process.ts'
import { startServer } from '../support/server-process.ts'
import { startService } from '../support/service.ts'

const REQUESTS = 300
/** What disturbs this machine makes a run dearer, never cheaper: the best of so many counts. */
const RUNS = 3
/** Measured: 4.8 for /ready (queries) and Swagger UI (400 kB). The plugin’s `GET /docs/yaml` took 72 ms. */
const RATIO_MAX = 8
/** Linux counts the time of a process in hundredths of a second. */
const TICK_MS = 10

test(`no route costs more than ${RATIO_MAX} times /health in CPU for who has no token`, async (t) => {
  using folder = temporaryFolder()
  const DATABASE_URL = `sqlite:///${folder.path}/app.db`
  await using server = await startServer({ DATABASE_URL, RATE_LIMIT: 'off' })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  // The last three are no routes: what is refused for its path or method is compared with every route.
  const routes = [
    ...(await listRoutes()),
    `GET /${'a/'.repeat(900)}`,
    'PUT /users/:id',
    'OPTIONS /',
  ]
  const cost = async (route: string) => {
    const [method = '', path = ''] = route.split(' ')
    const ask = () => answerOf(`${server.url}${path.replace(':id', '1')}`, method, agent)
    const runs: number[] = []
    for (let count = 0; count < 10; count++) await ask()
    for (let run = 0; run < RUNS; run++) {
      const before = cpuMsOf(server.pid)
      for (let count = 0; count < REQUESTS; count++) await ask()
      runs.push((cpuMsOf(server.pid) - before) / REQUESTS)
    }
    return Math.min(...runs)
  }

  for (let count = 0; count < 5 * REQUESTS; count++)
    await answerOf(`${server.url}/health`, 'GET', agent)
  const health = await cost('GET /health')
  const ratios: [string, number][] = []
  for (const route of routes) ratios.push([route, (await cost(route)) / health])
  agent.destroy()

  const dearest = ratios.toSorted(([, a], [, b]) => b - a)
  const shown = dearest
    .slice(0, 8)
    .map(([route, ratio]) => `${route.slice(0, 40)} ${ratio.toFixed(1)}`)
  t.diagnostic(`/health: ${health.toFixed(2)} ms; times as much: ${shown.join(', ')}`)
  assert.deepEqual(
    dearest.filter(([, ratio]) => ratio > RATIO_MAX),
    [],
  )
})

/** Every route of the API once, plugins included. */
async function listRoutes(): Promise<string[]> {
  await using service = await startService()
  await service.app.ready()
  return service.app.routes
    .filter(({ url }) => !url.startsWith('/api/v1'))
    .map(({ method, url }) => `${String(method)} ${url}`)
}

function answerOf(url: string, method: string, agent: Agent): Promise<void> {
  const headers = { 'accept-encoding': 'br' }
  return new Promise((resolve, reject) => {
    request(url, { method, agent, headers }, (answer) => {
      answer.resume()
      answer.on('end', resolve)
    })
      .on('error', reject)
      .end()
  })
}

/** Of the process with all its threads. */
function cpuMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
