import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { listenForOperators } from '../../server/api/public/metrics.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { LANES, runDelivery } from '../../server/outbox/run.ts'
import { type RecurringJob, runSchedule } from '../../server/schedule/schedule.ts'
import { createHangingMailer, deliveryBy } from '../support/mailers.ts'
import { runProgram } from '../support/process.ts'
import { times } from '../support/races.ts'
import { startServer, startWorkerProcess } from '../support/server-process.ts'
import { type Service, SETTINGS, startService } from '../support/service.ts'
import { until } from '../support/until.ts'

async function startWithHealth(service: Service) {
  const server = await listenForOperators(service.ctx, { host: '127.0.0.1', port: 0 })
  const { port } = server.address() as AddressInfo
  return {
    port,
    async health() {
      const answer = await fetch(`http://127.0.0.1:${port}/health`)
      return { status: answer.status, body: await answer.json() }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const HEALTHY = { status: 200, body: { status: 'healthy' } }
const stuck = (...loops: string[]) => ({ status: 503, body: { status: 'stuck', loops } })

describe('GET /health on METRICS_PORT', () => {
  test('503 while every delivery at once hangs for longer than a claim, 200 once they go on', async () => {
    await using service = await startService()
    await using operators = await startWithHealth(service)
    for (const n of times(LANES)) await service.signUp(`user${n}@example.com`)
    const mailer = createHangingMailer()
    const loop = runDelivery(service.ctx, deliveryBy(service, mailer))
    await until('all in hand', () => mailer.ids.length === LANES)

    service.advance(MINUTE_MS)
    const whileClaimed = await operators.health()
    service.advance(2 * MINUTE_MS)
    const longAfter = await operators.health()
    mailer.answer.resolve()
    await until('the next turn', async () => (await operators.health()).status === 200)
    await loop.stop()

    assert.deepEqual(whileClaimed, HEALTHY)
    assert.deepEqual(longAfter, stuck('mail'))
    assert.match(service.logged.join(''), /"loops":\["mail"\],"msg":"background jobs hang/)
  })

  test('503 for a recurring job that hangs, not for one that works in batches for an hour', async () => {
    await using service = await startService()
    await using operators = await startWithHealth(service)
    const batches = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const job: RecurringJob = {
      name: 'long',
      schedule: () => '* * * * *',
      async run(_ctx, { batch }) {
        for (const _ of times(60)) await batch(async () => service.advance(MINUTE_MS))
        batches.resolve()
        await end.promise
        return {}
      },
    }
    const schedule = runSchedule(service.ctx, [job])
    await batches.promise

    const inBatches = await operators.health()
    service.advance(3 * MINUTE_MS)
    const hanging = await operators.health()
    end.resolve()
    await schedule.stop()

    assert.deepEqual(inBatches, HEALTHY)
    assert.deepEqual(hanging, stuck('long'))
  })

  test('200 without background jobs; HEAD as GET; 404 for what else is asked', async () => {
    await using service = await startService()
    await using operators = await startWithHealth(service)
    const url = `http://127.0.0.1:${operators.port}`

    const head = await fetch(`${url}/health?probe`, { method: 'HEAD' })

    assert.deepEqual(await operators.health(), HEALTHY)
    assert.equal(head.status, 200)
    assert.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200)
    for (const [method, path] of [
      ['POST', '/health'],
      ['DELETE', '/metrics'],
      ['GET', '/ready'],
      ['GET', '//health'],
    ] as const)
      assert.equal((await fetch(url + path, { method })).status, 404, `${method} ${path}`)
  })
})

describe('METRICS_HOST', () => {
  for (const [host, url] of [
    ['0.0.0.0', 'http://127.0.0.1'],
    ['::1', 'http://[::1]'],
    ['localhost', 'http://localhost'],
  ] as const) {
    test(`${host}: server and worker answer there`, async () => {
      const settings = {
        DATABASE_URL: 'sqlite:///:memory:',
        METRICS_HOST: host,
        METRICS_PORT: '0',
      }
      await using server = await startServer(settings)
      await using worker = await startWorkerProcess(settings)

      for (const { lines } of [server, worker]) {
        const port = /metrics at http:\S+:(\d+)\/metrics/.exec(lines.join('\n'))?.[1]
        const answer = await fetch(`${url}:${port}/health`)
        assert.deepEqual([answer.status, await answer.json()], [200, { status: 'healthy' }])
      }
    })
  }

  for (const METRICS_HOST of ['203.0.113.7', '[::1]']) {
    test(`${METRICS_HOST}: refused by name, by server and worker`, async () => {
      const env = {
        ...SETTINGS,
        DATABASE_URL: 'sqlite:///:memory:',
        METRICS_PORT: '0',
        METRICS_HOST,
      }

      for (const args of [[], ['work']]) {
        const { exitCode, stderr } = await runProgram(args, { env: { ...env, PORT: '0' } })
        assert.equal(exitCode, 1)
        assert.equal(stderr, 'Cannot start:\n  METRICS_HOST is not an address of this machine\n')
      }
    })
  }
})
