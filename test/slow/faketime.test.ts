import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { HOUR_MS, SECOND_MS, toIso } from '../../server/lib/units.ts'
import { ask, askPatiently } from '../support/ask.ts'
import { temporaryFolder } from '../support/process.ts'
import { seedUsers, startOn } from '../support/seed.ts'
import { startServer } from '../support/server-process.ts'
import { ADMIN } from '../support/settings.ts'
import { fetchPatiently, until } from '../support/until.ts'

/** Where the library of faketime is, as the command itself says it. */
const library = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']).stdout
const skip = library === null && process.env['CI'] !== 'true' && 'faketime is absent'

/** The program as it is, in a process whose machine has another clock. Timers go on as they are. */
const startAt = (clock: Record<string, string>, settings: Record<string, string>) =>
  startServer({
    ...settings,
    ...clock,
    LD_PRELOAD: String(library).trim(),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
const ahead = (ms: number) => ({ FAKETIME: `${ms < 0 ? '' : '+'}${ms / SECOND_MS}s` })

/** A clock that stands still until it is set. */
function stoppedClock(folder: string) {
  const file = `${folder}/clock`
  return {
    set(ms: number) {
      writeFileSync(`${file}.new`, toIso(ms).slice(0, 19).replace('T', ' '))
      // It is read at any moment, and must be whole.
      renameSync(`${file}.new`, file)
    },
    settings: { FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', TZ: 'UTC' },
  }
}

describe('the real process, with the clock of its machine moved', { skip }, () => {
  for (const database of ['sqlite', 'postgres'] as const) {
    test(`on ${database} deletes nobody at 47:59:59 and everybody at 48:00:01, verified ones never`, async () => {
      using folder = temporaryFolder()
      await using service = await startOn(database)
      const createdAtMs = Math.floor(Date.now() / SECOND_MS) * SECOND_MS
      await seedUsers(service.ctx, 1, { createdAtMs: createdAtMs - HOUR_MS, verified: true })
      await seedUsers(service.ctx, 1, { createdAtMs })
      const count = async () =>
        (await service.ctx.db.selectFrom('users').select('id').execute()).length
      const clock = stoppedClock(folder.path)
      const [before, after] = [48 * HOUR_MS - SECOND_MS, 48 * HOUR_MS + SECOND_MS]

      clock.set(createdAtMs + before)
      await using server = await startAt(clock.settings, {
        DATABASE_URL: service.databaseUrl,
        CLEANUP_SCHEDULE: '* * * * * *',
      })
      const ran = (ms: number) => () =>
        server.lines.some(
          (line) =>
            line.includes(`"job":"clean-up","slot":"${toIso(createdAtMs + ms)}"`) &&
            line.includes('"recurring job done"'),
        )
      await until('the clean-up at 47:59:59', ran(before))
      const counted = await count()
      clock.set(createdAtMs + after)
      await until('the clean-up at 48:00:01', ran(after))

      assert.deepEqual([counted, await count()], [2, 1])
    })
  }

  test('three days ahead it deletes nobody when that would be most of a thousand', async () => {
    await using service = await startOn('sqlite')
    await seedUsers(service.ctx, 1200, { createdAtMs: Date.now() })

    await using server = await startAt(ahead(72 * HOUR_MS), {
      DATABASE_URL: service.databaseUrl,
      CLEANUP_SCHEDULE: '* * * * * *',
    })
    const health = await ask(server.url, '/health')
    await until('the refusal', () => server.lines.some((line) => /clean-up refused/.test(line)))

    assert.equal(health?.status, 200)
    assert.equal((await service.ctx.db.selectFrom('users').select('id').execute()).length, 1200)
  })

  test('replicas four seconds apart accept each other’s tokens at once', async () => {
    using folder = temporaryFolder()
    const settings = {
      DATABASE_URL: `sqlite:///${folder.path}/app.db`,
      SECRET_KEY: 'a secret of thirty-two characters or more',
      // `iss` is the address that people use, not a process’s own.
      PUBLIC_URL: 'http://localhost:8000',
    }
    await using fast = await startAt(ahead(2 * SECOND_MS), { ...settings, ...ADMIN })
    await using late = await startAt(ahead(-2 * SECOND_MS), settings)
    const login = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }

    for (const [one, other] of [
      [fast, late],
      [late, fast],
    ] as const) {
      const tokens = (await askPatiently(one.url, '/auth/login', login)).body
      const authorization = `Bearer ${tokens.access_token}`
      const me = await fetchPatiently(`${other.url}/me`, { headers: { authorization } })
      const { refresh_token } = tokens
      const refreshed = await askPatiently(other.url, '/auth/refresh', { refresh_token })

      assert.deepEqual([me.status, refreshed.status], [200, 200])
    }
  })
})
