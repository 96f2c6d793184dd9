import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { DAY_MS, toIso } from '../../server/lib/units.ts'
import { query } from '../support/cluster.ts'
import { deleteUser } from '../support/deletions.ts'
import { LONG } from '../support/long.ts'
import { rowsOf, seedEvents, seedMessages, seedSessions, startOn } from '../support/seed.ts'
import { PASSWORD, type Service, type TestUser } from '../support/service.ts'
import { runCommand, startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

// Processes of their own, which have the budgets that users have: a request has two seconds of database time.

/** Rows of each of three tables. */
const COUNT = LONG ? 100_000 : 30_000
const CANARY = { email: 'cinderella@canary.example', ip: '203.0.113.77' }
const KILL = pathToFileURL(resolve(import.meta.dirname, '../support/kill-at-statement.ts')).href

/** A user who wrote so many messages, events and sessions, with traces in all of them. */
async function addBusyUser(service: Service, count: number): Promise<TestUser> {
  const user = await service.addUser(CANARY.email)
  const seeded = { userId: user.id, ...CANARY, count }
  await seedMessages(service.ctx, seeded)
  await seedEvents(service.ctx, seeded)
  await seedSessions(service.ctx, seeded)
  // As a server's autovacuum does; without statistics every batch would read and sort all that is left.
  if (service.databaseUrl.startsWith('postgres')) await query(service.databaseUrl, 'analyze')
  return user
}

/** It is the issuer of the tokens, whatever port the process is given. */
const start = ({ databaseUrl, ctx }: Service) =>
  startServer({ DATABASE_URL: databaseUrl, PUBLIC_URL: ctx.config.publicUrl })

const isErased = async ({ ctx }: Service) => (await rowsOf(ctx, 'erasures')).length === 0

async function assertNoTrace({ ctx }: Service): Promise<void> {
  const { ip, email } = CANARY
  const found = await Promise.all([
    ctx.db.selectFrom('audit_events').select('id').where('ip', '=', ip).limit(1).execute(),
    ctx.db.selectFrom('sessions').select('id').where('ip', '=', ip).limit(1).execute(),
    ctx.db
      .selectFrom('outbox')
      .select('id')
      .where((eb) => eb.or([eb('recipient', '=', email), eb('email_canonical', '=', email)]))
      .limit(1)
      .execute(),
  ])
  assert.deepEqual(found, [[], [], []])
}

/** Asks for /me again and again until it is stopped; returns how often each status came. */
function watchMe(url: string, { access }: TestUser) {
  const statuses: Record<number, number> = {}
  let watching = true
  const watch = async () => {
    while (watching) {
      const headers = { authorization: `Bearer ${access}` }
      const answer = await fetch(`${url}/api/v1/me`, { headers })
      await answer.text()
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    }
  }
  const watched = watch()
  return async () => {
    watching = false
    await watched
    return statuses
  }
}

for (const database of ['sqlite', 'postgres'] as const) {
  describe(`${3 * COUNT} rows of one user on ${database}`, () => {
    test('are exported whole, the account is gone at once, and /me of others is answered all the while', async (t) => {
      await using service = await startOn(database)
      const other = await service.addUser()
      const user = await addBusyUser(service, COUNT)
      await using server = await start(service)
      const stopWatching = watchMe(server.url, other)
      const ask = (path: string, init: RequestInit = {}) => {
        const headers = { authorization: `Bearer ${user.access}`, ...init.headers }
        return fetch(`${server.url}/api/v1${path}`, { ...init, headers })
      }

      const exported = await ask('/me/export')
      const lists: any = await exported.json()
      const deleted = await ask('/me', {
        method: 'DELETE',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ current_password: PASSWORD }),
      })
      const gone = await ask('/me')
      const pending = await rowsOf(service.ctx, 'erasures')
      await until('the erasure', () => isErased(service))
      const statuses = await stopWatching()

      assert.equal(exported.status, 200)
      assert.deepEqual(
        [lists.messages.length, lists.sessions.length, lists.events.length],
        // And a session of the login, and the event of the export.
        [COUNT, COUNT + 1, COUNT + 1],
      )
      assert.equal(new Set(lists.messages.map(({ id }: { id: string }) => id)).size, COUNT)
      assert.deepEqual([deleted.status, gone.status, pending.length], [204, 401, 1])
      await assertNoTrace(service)
      const run = server.lines.find((line) => line.includes('"job":"erase"'))
      t.diagnostic(`${statuses[200]} answers to another user; ${run}`)
      assert.deepEqual(Object.keys(statuses), ['200'])
    })
  })

  test(`on ${database}: what a process that was killed in mid-batch has not erased, another does`, async () => {
    await using service = await startOn(database)
    const admin = await service.addAdmin()
    const user = await addBusyUser(service, 8 * service.ctx.batchMax)
    await deleteUser(service, admin, user)
    const killed = await runCommand([], {
      DATABASE_URL: service.databaseUrl,
      PORT: '0',
      NODE_OPTIONS: `--import=${KILL}`,
      KILL_AT: '3',
      KILL_SQL: '^update "outbox" set "recipient"',
    })
    const wasErased = await isErased(service)
    // As if the lease of half a minute had run out.
    await service.ctx.transaction((tx) =>
      tx
        .updateTable('jobs')
        .set({ lease_until: toIso(Date.now() - DAY_MS) })
        .execute(),
    )

    await using server = await start(service)
    await until('the erasure', () => isErased(service))

    assert.equal(killed.exitCode, null)
    assert.equal(wasErased, false)
    await assertNoTrace(service)
    assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
    assert.ok(server.lines.length > 0)
  })
}
