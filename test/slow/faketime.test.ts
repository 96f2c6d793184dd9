import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { ask } from '../support/kill-load.ts'
import { seedUsers, startOn } from '../support/seed.ts'
import { startServer } from '../support/server-process.ts'

/** Where the library of faketime is, as the command itself says it. */
const library = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']).stdout
const missing = library === null && process.env['CI'] !== 'true' && 'faketime is absent'

/** The program as it is, in a process whose clock is ahead of ours. */
const startAhead = (url: string, ms: number, settings: Record<string, string> = {}) =>
  startServer({
    DATABASE_URL: url,
    CLEANUP_SCHEDULE: '* * * * * *',
    LD_PRELOAD: String(library).trim(),
    FAKETIME: `+${Math.round(ms / SECOND_MS)}s`,
    // Timers go on as they are.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    ...settings,
  })

describe('the real process, with the clock of its machine moved', () => {
  for (const database of ['sqlite', 'postgres'] as const) {
    test(
      `on ${database} deletes nobody at 47:59:59 and everybody at 48:00:01, verified ones never`,
      { skip: missing },
      async (t) => {
        await using service = await startOn(database)
        const createdAtMs = Date.now()
        await seedUsers(service.ctx, 1, { createdAtMs: createdAtMs - HOUR_MS, verified: true })
        await seedUsers(service.ctx, 1, { createdAtMs })
        const aheadMs = 48 * HOUR_MS - 10 * SECOND_MS
        const ageMs = () => Date.now() + aheadMs - createdAtMs
        const count = async () =>
          (await service.ctx.db.selectFrom('users').select('id').execute()).length

        await using server = await startAhead(service.databaseUrl, aheadMs)
        let lastSeenMs = 0
        while ((await count()) === 2) {
          lastSeenMs = ageMs()
          assert.ok(lastSeenMs < 48 * HOUR_MS + MINUTE_MS, 'never deleted')
          await delay(50)
        }
        const goneMs = ageMs()

        t.diagnostic(`gone between ${lastSeenMs} and ${goneMs} ms of ${48 * HOUR_MS}`)
        assert.ok(goneMs >= 48 * HOUR_MS, 'deleted too early')
        // 48:00:01, a tick, and what a busy machine needs.
        assert.ok(goneMs <= 48 * HOUR_MS + 4 * SECOND_MS, `deleted ${goneMs} ms after sign-up`)
        assert.equal(await count(), 1)
        // The line comes once the run is settled, which is after the row is gone.
        const saidBy = Date.now() + 10 * SECOND_MS
        while (!server.lines.some((line) => /"job":"clean-up".*"deleted":1/.test(line))) {
          assert.ok(Date.now() < saidBy, 'no log line tells of the run')
          await delay(50)
        }
      },
    )
  }

  test(
    'three days ahead it deletes nobody when that would be most of a thousand',
    { skip: missing },
    async () => {
      await using service = await startOn('sqlite')
      await seedUsers(service.ctx, 1200, { createdAtMs: Date.now() })

      await using server = await startAhead(service.databaseUrl, 72 * HOUR_MS)
      const health = await ask(server.url, '/health')
      while (!server.lines.some((line) => /clean-up refused/.test(line))) await delay(50)

      assert.equal(health?.status, 200)
      assert.equal((await service.ctx.db.selectFrom('users').select('id').execute()).length, 1200)
    },
  )
})
