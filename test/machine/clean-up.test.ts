import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DAY_MS } from '../../server/lib/units.ts'
import { seedUsers, startOn } from '../support/seed.ts'
import { startServer } from '../support/server-process.ts'

const MANY = 100_000
const P99_MAX_MS = 250

describe(`${MANY} accounts are deleted, and /me is answered as quickly as ever`, () => {
  for (const database of ['sqlite', 'postgres'] as const) {
    test(`on ${database}`, async (t) => {
      await using service = await startOn(database)
      const createdAtMs = Date.now() - 3 * DAY_MS
      await seedUsers(service.ctx, MANY, { createdAtMs })
      // Were those who stay fewer, it would take the clock for wrong.
      await seedUsers(service.ctx, MANY + 1, { createdAtMs, verified: true })
      const ann = await service.addUser('ann@example.com')
      await using server = await startServer({
        DATABASE_URL: service.databaseUrl,
        // It is the issuer of the token, whatever port the process is given.
        PUBLIC_URL: service.ctx.config.publicUrl,
      })
      const run = () =>
        server.lines.find((line) => /"recurring job done"/.test(line) && /clean-up/.test(line))
      const latencies: number[] = []

      while (run() === undefined) {
        const startedAt = performance.now()
        const answer = await fetch(`${server.url}/api/v1/me`, {
          headers: { authorization: `Bearer ${ann.access}` },
        })
        await answer.text()
        latencies.push(performance.now() - startedAt)
        assert.equal(answer.status, 200)
        await delay(2)
      }

      const sorted = latencies.toSorted((a, b) => a - b)
      const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)
      const { deleted, duration_ms } = JSON.parse(run() ?? '{}')
      t.diagnostic(
        `${deleted} deleted in ${duration_ms} ms; ${sorted.length} answers: median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`,
      )
      assert.equal(deleted, MANY)
      assert.ok(sorted.length > 100, 'hardly asked')
      assert.ok(at(0.99) < P99_MAX_MS, `p99 ${at(0.99)} ms`)
    })
  }
})
