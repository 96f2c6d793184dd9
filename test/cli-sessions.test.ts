import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, toIso } from '../server/lib/units.ts'
import { endSessionsAfter } from '../server/sessions/session-list.ts'
import { runProgram } from './support/process.ts'
import { rowsOf } from './support/seed.ts'
import { SETTINGS, type Service, startService, type TestUser } from './support/service.ts'

const REFRESH = '/api/v1/auth/refresh'

/** A service whose clock is that of the command; it goes on serving while the command runs. */
async function startShop() {
  const service = await startService({}, { nowMs: Date.now() })
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl }
  return {
    service,
    end: (...args: string[]) => runProgram(['sessions', 'end', ...args], { env }),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

/** By both tokens, so that neither is forgotten. */
async function isLive(service: Service, tokens: Pick<TestUser, 'access' | 'refresh'>) {
  const me = await service.get('/api/v1/me', { token: tokens.access })
  const refreshed = await service.post(REFRESH, { refresh_token: tokens.refresh })
  assert.equal(me.status === 200, refreshed.status === 200)
  return me.status === 200
}

const eventsOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'audit_events'))
    .filter((row) => row.event === 'sessions.ended')
    .map((row) => [row.actor_id, row.subject_id, JSON.parse(row.changes)])

/** So many sessions of a user, the live ones first, as a restored table might hold them. */
async function seedSessions({ ctx, clock }: Service, userId: number, counts: Seeds) {
  const at = (ms: number) => toIso(clock.nowMs + ms)
  const row = (expiresMs: number) => ({
    id: crypto.randomUUID(),
    user_id: userId,
    generation: 0,
    created_at: at(-8 * DAY_MS),
    expires_at: at(expiresMs),
    ends_at: at(22 * DAY_MS),
    last_seen_at: at(-8 * DAY_MS),
  })
  const rows = [
    ...Array.from({ length: counts.live }, () => row(DAY_MS)),
    ...Array.from({ length: counts.expired }, () => row(-DAY_MS)),
  ]
  for (let start = 0; start < rows.length; start += 500) {
    const some = rows.slice(start, start + 500)
    await ctx.transaction((tx) => tx.insertInto('sessions').values(some).execute())
  }
}
interface Seeds {
  readonly live: number
  readonly expired: number
}

describe('sessions end', () => {
  for (const [how, keyOf] of [
    ['id', (user: TestUser) => String(user.id)],
    ['address', (user: TestUser) => user.email.toUpperCase()],
  ] as const) {
    test(`--user with the ${how} ends every session of that user at once, and of nobody else`, async () => {
      await using shop = await startShop()
      const { service } = shop
      const bob = await service.addUser()
      const ann = await service.addUser()
      const second = await service.logIn(ann.email)

      const { exitCode, stdout, stderr } = await shop.end('--user', keyOf(ann))

      assert.equal(exitCode, 0, stderr)
      assert.equal(stdout, 'Ended 2 sessions.\n')
      for (const tokens of [ann, second]) assert.equal(await isLive(service, tokens), false)
      assert.equal(await isLive(service, bob), true)
      assert.deepEqual(await eventsOf(service), [[null, ann.id, { ended: 2 }]])
      assert.equal(await isLive(service, await service.logIn(ann.email)), true)
    })
  }

  test('--all ends every session of everybody, in more than one batch, and counts the live ones', async () => {
    await using shop = await startShop()
    const { service } = shop
    const { batchMax } = service.ctx
    const users = [await service.addUser(), await service.addAdmin()]
    await seedSessions(service, users[0]?.id ?? 0, { live: batchMax, expired: batchMax })

    const { exitCode, stdout, stderr } = await shop.end('--all')

    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout, `Ended ${batchMax + 2} sessions.\n`)
    for (const user of users) assert.equal(await isLive(service, user), false)
    const sessions = await rowsOf(service.ctx, 'sessions')
    assert.ok(sessions.every((row) => row.revoked_at !== null))
    const events = await eventsOf(service)
    assert.ok(events.length > 1)
    assert.ok(events.every(([actor, subject, { of }]) => !actor && !subject && of === 'all'))
    const counted = events.reduce((sum, [, , { ended }]) => sum + ended, 0)
    assert.equal(counted, batchMax + 2)
    for (const { email } of users)
      assert.equal(await isLive(service, await service.logIn(email)), true)
  })

  test('--all again ends nothing, moves no time and records nothing', async () => {
    await using shop = await startShop()
    const { service } = shop
    await service.addUser()
    await shop.end('--all')
    const state = async () => [
      await rowsOf(service.ctx, 'sessions'),
      await rowsOf(service.ctx, 'audit_events'),
    ]
    const earlier = await state()

    const { exitCode, stdout } = await shop.end('--all')

    assert.deepEqual([exitCode, stdout], [0, 'Ended 0 sessions.\n'])
    assert.deepEqual(await state(), earlier)
  })

  test('--all goes on with what another run left when it was killed', async () => {
    await using shop = await startShop()
    const { service } = shop
    const ann = await service.addUser()
    await seedSessions(service, ann.id, { live: 9, expired: 0 })
    await service.ctx.transaction((tx) =>
      endSessionsAfter(tx, '', { limit: 4, nowMs: service.clock.nowMs - DAY_MS }),
    )

    const { stdout, stderr } = await shop.end('--all')

    assert.equal(stdout, 'Ended 6 sessions.\n', stderr)
    const sessions = await rowsOf(service.ctx, 'sessions')
    const endedAt = sessions.map((row) => row.revoked_at)
    assert.ok(endedAt.every((at) => at !== null))
    // What the first had ended keeps its time.
    assert.equal(endedAt.filter((at) => at < toIso(service.clock.nowMs - DAY_MS / 2)).length, 4)
  })

  test('1 not_found for a user who does not exist: nothing ends', async () => {
    await using shop = await startShop()
    const ann = await shop.service.addUser()

    const { exitCode, stdout, stderr } = await shop.end('--user', '999999')

    assert.deepEqual([exitCode, stdout], [1, ''])
    assert.match(stderr, /^not_found: /m)
    assert.equal(await isLive(shop.service, ann), true)
  })

  test('2 for both at once: nothing ends', async () => {
    await using shop = await startShop()
    const ann = await shop.service.addUser()

    const { exitCode, stderr } = await shop.end('--all', '--user', String(ann.id))

    assert.equal(exitCode, 2)
    assert.match(stderr, /usage: npm run cli -- sessions end --all \| --user <id or email>/)
    assert.equal(await isLive(shop.service, ann), true)
    assert.deepEqual(await eventsOf(shop.service), [])
  })
})
