import assert from 'node:assert/strict'
import { chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { withBudget } from '../../server/database/budget.ts'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { CERTIFICATE, CERTIFICATE_KEY } from '../support/certificate.ts'
import { type Cluster, createDatabase, query, startCluster } from '../support/cluster.ts'
import { type Customers, isFine, type Seen, send, startCustomers } from '../support/outage.ts'
import { times } from '../support/races.ts'
import { isStopped } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/** Of each server process, by default. */
const POOL = 10
/** Connections are shared out by network. */
const PROXIED = { TRUSTED_PROXIES: '127.0.0.1/32' }
const OURS = "from pg_stat_activity where application_name = 'coffee-shop-api'"

describe('queries that are given up', () => {
  let cluster: Cluster
  before(async () => {
    // Of these, three are for superusers only: room for two pools, and for a few more.
    cluster = await startCluster({ durable: false, maxConnections: 30 })
  })
  after(() => cluster.stop())

  test('on a server of 30 connections and with one locked row: two replicas never hold more than their pools, others are served', async () => {
    const url = await createDatabase(cluster.url, 'one_row')
    await using first = await startCustomers(url, undefined, PROXIED)
    await using second = await startCustomers(url, 'neighbour@example.com', PROXIED)
    await using watched = await watchConnections(url)
    await using blocker = await connectTo(url)
    await blocker.query('begin')
    await blocker.query('select id from users where email = $1 for update', [first.visitor.email])
    const refused: Seen[] = []
    const others: Seen[] = []

    /** The owner of the locked row, in many tabs at once. */
    async function askForRow({ server }: Customers): Promise<void> {
      const asking = times(20).map(() => send(server, 'POST /auth/login', { body: first.visitor }))
      refused.push(...(await Promise.all(asking)))
    }
    async function askForOther({ server, token }: Customers): Promise<void> {
      others.push(await send(server, 'GET /me', { token, ip: '192.0.2.1' }))
      others.push(
        await send(server, 'PATCH /me', { body: { full_name: 'Other' }, token, ip: '192.0.2.1' }),
      )
    }
    for (let round = 0; round < 4; round++) {
      const asking = [first, second].map(askForRow)
      // The servers are at their worst once the statements wait.
      await until('blocked logins', () => watched.blocked() >= 2)
      for (const replica of [first, second]) await askForOther(replica)
      await Promise.all(asking)
    }
    await blocker.query('commit')

    assert.ok(watched.most() <= 2 * POOL, `${watched.most()} connections`)
    for (const { status } of refused) assert.equal(status, 503)
    for (const answer of others) assert.ok(isFine(answer), JSON.stringify(answer.body))
    for (const { server } of [first, second]) {
      assert.doesNotMatch(server.lines.join('\n'), /53300|too many clients/)
      const login = await send(server, 'POST /auth/login', { body: first.visitor })
      assert.equal(login.status, 200)
    }
  })

  test('end on the server, over plain and encrypted connections', async () => {
    const url = await createDatabase(cluster.url, 'encrypted')
    const [{ folder, file }] = await query(
      url,
      "select current_setting('data_directory') as folder, current_setting('config_file') as file",
    )
    const { uid, gid } = statSync(file)
    for (const [name, text] of [
      ['server.crt', CERTIFICATE],
      ['server.key', CERTIFICATE_KEY],
    ] as const) {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      chownSync(join(folder, name), uid, gid)
    }
    await query(url, 'alter system set ssl = on')
    await query(url, 'select pg_reload_conf()')
    await until('encryption', async () => (await query(url, 'show ssl'))[0].ssl === 'on')

    for (const mode of ['disable', 'require', 'require&sslnegotiation=direct'])
      assert.equal(await runsOn(`${url}?sslmode=${mode}`), false, mode)
  })

  test('to processes that are frozen, which no cancellation ends: at most twice the pool, then 503, and 200 once they go on', async () => {
    const url = await createDatabase(cluster.url, 'frozen')
    const settings = { ...PROXIED, DATABASE_POOL_SIZE: '4' }
    await using customers = await startCustomers(url, undefined, settings)
    await using watched = await watchConnections(url)
    await using blocker = await connectTo(url)
    const { server, visitor } = customers
    /** A customer of each of four networks. */
    const ask = () =>
      Promise.all(
        times(4).map((n) =>
          send(server, 'POST /auth/login', { body: visitor, ip: `198.51.100.${n}` }),
        ),
      )
    const frozen = new Set<number>()
    try {
      await blocker.query('begin')
      await blocker.query('lock table users')
      while (frozen.size < 8) {
        let isAnswered = false
        const asking = ask().finally(() => (isAnswered = true))
        const waiting = () => watched.blockedPids().filter((pid) => !frozen.has(pid))
        while (!isAnswered) {
          await until('statements that wait', () => isAnswered || waiting().length > 0)
          for (const pid of waiting()) if (await freeze(pid)) frozen.add(pid)
          // One that was cancelled before it was stopped is still in the list of before.
          await watched.next()
        }
        for (const { status } of await asking) assert.equal(status, 503)
      }
      for (const { status } of await ask()) assert.equal(status, 503)
    } finally {
      await blocker.query('rollback')
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
    }
    await until('service', async () => (await ask()).every(isFine))

    assert.ok(watched.most() <= 8, `${watched.most()} connections`)
  })
})

/** What still runs on the server after its budget, once a while has passed. */
async function runsOn(url: string): Promise<boolean> {
  const backend = await openDatabase(databaseUrl(url), { statementTimeoutMs: 5 * MINUTE_MS })
  try {
    const sleeping = () => backend.prepared('select pg_sleep($1)', [300])
    await assert.rejects(withBudget({ remainingMs: 500 }, sleeping), {
      code: 'database_unavailable',
    })
    const startedAt = performance.now()
    const isThere = async () =>
      (await query(url.split('?')[0] ?? '', `select 1 ${OURS} and query like 'select pg_sleep%'`))
        .length > 0
    while ((await isThere()) && performance.now() - startedAt < MINUTE_MS / 2);
    return await isThere()
  } finally {
    await backend.close()
  }
}

/** Stops a process; false when it is gone already. */
async function freeze(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 'SIGSTOP')
    await until('a stop', () => isStopped(pid))
    return true
  } catch {
    return false
  }
}

async function connectTo(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Counts what the server has of the service, again and again. */
async function watchConnections(url: string) {
  let most = 0
  let blocked: number[] = []
  let isOver = false
  let counting = Promise.resolve()
  async function watch(): Promise<void> {
    while (!isOver) await (counting = count())
  }
  async function count(): Promise<void> {
    const rows = await query(
      url,
      `select pid, wait_event_type ${OURS} and datname = current_database()`,
    )
    most = Math.max(most, rows.length)
    blocked = rows.flatMap((row) => (row.wait_event_type === 'Lock' ? [row.pid] : []))
  }
  const watching = watch()
  return {
    most: () => most,
    blocked: () => blocked.length,
    blockedPids: () => blocked,
    /** Resolves with a count that is newer. */
    next: () => counting,
    async [Symbol.asyncDispose]() {
      isOver = true
      await watching
    },
  }
}
