import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { withBudget } from '../../server/database/budget.ts'
import { connect } from '../../server/database/connect.ts'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { type Cluster, createDatabase, query, startCluster } from '../support/cluster.ts'
import { type Reply, walk } from '../support/customers.ts'
import { missing, startPgbouncer } from '../support/pgbouncer.ts'
import { times } from '../support/races.ts'
import { runCommand, type ServerProcess, startServer } from '../support/server-process.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { until } from '../support/until.ts'

/** What each statement of ours relies on, and what the database of these tests has instead. */
const OURS = {
  timezone: 'UTC',
  datestyle: 'ISO, DMY',
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  statement_timeout: '5s',
  idle_in_transaction_session_timeout: '10s',
  transaction_isolation: 'read committed',
}
const THEIRS = {
  timezone: 'Europe/Berlin',
  datestyle: 'German, DMY',
  // Every client of PgBouncer names its own.
  client_encoding: 'UTF8',
  standard_conforming_strings: 'off',
  statement_timeout: '7min',
  idle_in_transaction_session_timeout: '7min',
  transaction_isolation: 'serializable',
}
const ADMIN = { email: 'admin@example.com', password: 'the long password of the admin' }
const CUSTOMERS = 12

describe('behind PgBouncer', { skip: missing }, () => {
  let cluster: Cluster
  let databases = 0
  before(async () => (cluster = await startCluster({ durable: false })))
  after(() => cluster.stop())

  /** A database whose every default is another than ours. */
  async function createForeign(): Promise<string> {
    const name = `foreign_${++databases}`
    const url = await createDatabase(cluster.url, name)
    for (const [setting, value] of Object.entries(THEIRS)) {
      const variable = setting.replace('transaction_isolation', 'default_transaction_isolation')
      await query(
        url,
        `alter database ${name} set ${variable} to ${value.replace(/^[^,]+$/, "'$&'")}`,
      )
    }
    return url
  }

  for (const mode of ['transaction', 'session'] as const) {
    describe(`in ${mode} mode`, () => {
      test('200 for whole walks over two replicas that migrated at once, with their mail', async () => {
        await using pooler = await startPgbouncer(await createForeign(), mode)
        await using smtp = await startSmtpServer({ tls: 'none' })
        const settings = {
          DATABASE_URL: pooler.url,
          RATE_LIMIT: 'off',
          MAIL_URL: smtp.url('?tls=off'),
          MAIL_FROM: 'shop@example.com',
          ADMIN_EMAIL: ADMIN.email,
          ADMIN_PASSWORD: ADMIN.password,
        }
        const replicas = await Promise.all([startServer(settings), startServer(settings)])
        await using first = replicas[0]
        await using second = replicas[1]
        const failed: [string, Reply][] = []

        const emails = times(CUSTOMERS).map((number) => `customer${number}@example.com`)
        await Promise.all(
          emails.map((email, number) => {
            let asked = number
            return walk({
              get url() {
                return (++asked % 2 === 0 ? first : second).url
              },
              smtp,
              ip: '203.0.113.1',
              email,
              onAnswer: (path, reply) => {
                if (reply.status >= 400 && reply.body?.code !== 'database_unavailable')
                  failed.push([path, reply])
              },
            })
          }),
        )
        const listed = await listAndDelete([first, second], emails[0] ?? '')

        assert.deepEqual(failed, [])
        assert.deepEqual(listed, { users: CUSTOMERS + 1, deleted: 204, afterwards: CUSTOMERS })
        assert.deepEqual(
          replicas.flatMap(({ lines }) =>
            lines.filter((line) => /"level":"(?:error|fatal)"/.test(line)),
          ),
          [],
        )
      })

      test('reads, look-ups and transactions have our settings, and others keep theirs', async () => {
        const url = await createForeign()
        await using pooler = await startPgbouncer(url, mode)
        const backend = await openDatabase(databaseUrl(pooler.url))
        const connection = connect(backend)
        const names = Object.keys(OURS)
        const settings = sql<Record<string, string>>`select ${sql.join(
          names.map((name) => sql`current_setting(${sql.lit(name)}) as ${sql.ref(name)}`),
        )}`
        const select = settings.compile(backend.reader).sql
        const lookUp = `${select} where $1 > 0`
        backend.nameStatement(lookUp, 'settings')
        try {
          const reads = await Promise.all(times(20).map(() => settings.execute(backend.reader)))
          const lookUps = await Promise.all(times(20).map(() => backend.prepared(lookUp, [1])))
          const transactions = await Promise.all(
            times(20).map(() => connection.transaction((tx) => settings.execute(tx))),
          )
          const rows = [...reads, ...transactions].flatMap((result) => result.rows)
          const [others] = await query(pooler.url, select)

          for (const row of [...rows, ...lookUps.flat()])
            assert.deepEqual({ ...(row as object) }, OURS)
          assert.deepEqual({ ...others }, THEIRS)
        } finally {
          await backend.close()
        }
      })

      test('a read whose budget is spent when its answer comes leaves no transaction open', async () => {
        const url = await createForeign()
        await using pooler = await startPgbouncer(url, mode)
        const options = { statementTimeoutMs: 5 * MINUTE_MS }
        const backend = await openDatabase(databaseUrl(pooler.url), options)
        const count = async (what: string) => {
          const [row] = await query(
            url,
            `select count(*)::int as count from pg_stat_activity where application_name = 'coffee-shop-api' and ${what}`,
          )
          return row.count
        }
        const budget = { remainingMs: MINUTE_MS }
        try {
          const reading = withBudget(budget, () => backend.prepared('select pg_sleep($1)', [0.3]))
          const refused = assert.rejects(reading, { code: 'database_unavailable' })
          await until('the read', async () => (await count("wait_event = 'PgSleep'")) === 1)
          budget.remainingMs = 0
          await refused
          const refusedAt = performance.now()

          await until('its end', async () => (await count("state <> 'idle'")) === 0)
          // Idle connections are closed after a minute.
          assert.ok(performance.now() - refusedAt < MINUTE_MS / 2)
        } finally {
          await backend.close()
        }
      })

      test('503 for a table that somebody has locked, and its statement ends on the server', async () => {
        const url = await createForeign()
        await using pooler = await startPgbouncer(url, mode)
        await using server = await startServer({ DATABASE_URL: pooler.url, RATE_LIMIT: 'off' })
        const waiting = async () => {
          const [row] = await query(
            url,
            "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
          )
          return row.count
        }
        const locked = assert.rejects(
          query(url, 'begin; lock table users; select pg_sleep(600); commit'),
          { code: '57P01' },
        )
        await until('the lock', async () => {
          const [row] = await query(
            url,
            "select count(*)::int as count from pg_locks where relation = 'users'::regclass and mode = 'AccessExclusiveLock' and granted",
          )
          return row.count === 1
        })

        const answer = await logIn(server, ADMIN)
        await until('the end of the statement', async () => (await waiting()) === 0)
        await query(
          url,
          "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'",
        )
        await locked
        const afterwards = await logIn(server, ADMIN)

        assert.equal(answer.status, 503)
        assert.equal(afterwards.status, 401)
      })
    })
  }

  test('503 while the pooler is away, and 200 when it is back', async () => {
    await using pooler = await startPgbouncer(await createForeign(), 'transaction')
    await using server = await startServer({ DATABASE_URL: pooler.url, RATE_LIMIT: 'off' })
    const ready = async () => (await fetch(`${server.url}/ready`)).status
    const before = await ready()

    await pooler.kill()
    const during = [await ready(), (await logIn(server, ADMIN)).status]
    await pooler.restart()
    await until('service', async () => (await ready()) === 200)
    const afterwards = await logIn(server, ADMIN)

    assert.deepEqual([before, ...during, afterwards.status], [200, 503, 503, 401])
  })

  test('over its socket: ok by doctor, and one sentence for a socket that is not there', async () => {
    await using pooler = await startPgbouncer(await createForeign(), 'transaction')
    const { socketUrl } = pooler

    const migrated = await runCommand(['migrate'], { DATABASE_URL: socketUrl })
    const doctor = await runCommand(['doctor'], { DATABASE_URL: socketUrl })
    const nowhere = await runCommand(['doctor'], {
      DATABASE_URL: socketUrl.replace(/port=\d+/, 'port=1'),
    })

    assert.equal(migrated.exitCode, 0, migrated.output)
    assert.match(doctor.output, /^ok {3}database \(postgres\)$/m)
    assert.match(
      nowhere.output,
      /^FAIL DATABASE_URL: there is no socket of this port in the folder/m,
    )
  })

  test('in statement mode: one sentence at start, and by doctor', async () => {
    await using pooler = await startPgbouncer(await createForeign(), 'statement')

    const started = await runCommand([], { DATABASE_URL: pooler.url, PORT: '0' })
    const doctor = await runCommand(['doctor'], { DATABASE_URL: pooler.url })

    assert.equal(started.exitCode, 1)
    assert.match(
      started.output,
      /^Cannot start:\n {2}DATABASE_URL: the pooler must have pool_mode = transaction.*\n$(?![^])/m,
    )
    assert.equal(doctor.exitCode, 1)
    assert.match(doctor.output, /^FAIL DATABASE_URL: the pooler must have pool_mode/m)
  })
})

async function logIn(server: ServerProcess, who: { email: string; password: string }) {
  const answer = await fetch(`${server.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(who),
  })
  return { status: answer.status, body: (await answer.json()) as any }
}

/** The customer deletes the account at one replica, and the admin counts users at the other. */
async function listAndDelete([first, second]: [ServerProcess, ServerProcess], email: string) {
  const customer = await logIn(first, { email, password: 'another horse battery staple' })
  const admin = await logIn(second, ADMIN)
  const count = async () => {
    const answer = await fetch(`${second.url}/api/v1/users?limit=100`, {
      headers: { authorization: `Bearer ${admin.body.access_token}` },
    })
    return ((await answer.json()) as any).length
  }
  const users = await count()
  const { status: deleted } = await fetch(`${first.url}/api/v1/me`, {
    method: 'DELETE',
    headers: {
      authorization: `Bearer ${customer.body.access_token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ current_password: 'another horse battery staple' }),
  })
  return { users, deleted, afterwards: await count() }
}
