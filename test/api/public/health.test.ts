import assert from 'node:assert/strict'
import { existsSync, renameSync } from 'node:fs'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { createApp } from '../../../server/app.ts'
import { runDueJobs } from '../../../server/schedule/schedule.ts'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { DeliveryError } from '../../../server/outbox/transports/delivery-error.ts'
import { RECURRING_JOBS } from '../../../server/accounts/recurring-jobs.ts'
import { DATABASE } from '../../support/database.ts'
import { deliverBy } from '../../support/mailers.ts'
import { seedUsers } from '../../support/seed.ts'
import { type Service, startService } from '../../support/service.ts'

/** On PostgreSQL the service compares its clock with the server's, which is that of this machine. */
const start = () => startService({}, { nowMs: Date.now() })

/** Renames the database away under the running service; the returned function brings it back. */
async function takeDatabaseAway({ databaseUrl }: Service): Promise<() => Promise<void>> {
  if (DATABASE === 'sqlite') {
    const file = databaseUrl.replace('sqlite:///', '')
    renameSync(file, `${file}.away`)
    return async () => {
      assert.ok(!existsSync(file), 'an empty database took the place of the lost one')
      renameSync(`${file}.away`, file)
    }
  }
  const url = new URL(databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const administer = async (statement: string) => {
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  await administer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  )
  await administer(`alter database ${name} rename to ${name}_away`)
  return () => administer(`alter database ${name}_away rename to ${name}`)
}

describe('GET /health', () => {
  test('200 while the process lives, whatever it depends on', async () => {
    await using service = await start()
    const up = await service.get('/health')
    const bringBack = await takeDatabaseAway(service)
    const down = await service.get('/health')
    await bringBack()

    for (const answer of [up, down]) {
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.body, { status: 'healthy' })
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  })
})

describe('GET /ready', () => {
  const look = async (service: Service, check: 'mail' | 'clean_up') => {
    const { status, body } = await service.get('/ready')
    return `${status} ${body.checks[check]}`
  }

  test('200 when database, schema and clock are well', async () => {
    await using service = await start()

    const answer = await service.get('/ready')

    assert.equal(answer.status, 200)
    const checks = {
      database: 'ok',
      migrations: 'ok',
      draining: false,
      clock: 'ok',
      mail: 'ok',
      clean_up: 'ok',
      keys: 'ok',
      redis: 'unused',
    }
    assert.deepEqual(answer.body, { status: 'ready', checks })
  })

  test('503 while the database is away, and 200 once it is back', async () => {
    await using service = await start()
    await service.get('/ready')
    const bringBack = await takeDatabaseAway(service)
    const away = await service.get('/ready')
    await bringBack()
    const back = await service.get('/ready')

    assert.equal(away.status, 503)
    assert.match(away.headers['retry-after'] ?? '', /^[0-9]+$/)
    assert.equal(away.body.status, 'not_ready')
    assert.equal(away.body.checks.database, 'unavailable')
    assert.equal(away.body.checks.migrations, 'unknown')
    assert.equal(back.status, 200, back.text)
  })

  for (const [why, change, migrations] of [
    ['a migration is missing', sql`delete from coffee_shop_migrations`, 'pending'],
    [
      'the schema needs a newer program',
      sql`insert into coffee_shop_migrations (name, needs) values ('9999-newer', '9998-newer')`,
      'incompatible',
    ],
  ] as const) {
    test(`503 while ${why}, though the database answers`, async () => {
      await using service = await start()
      await service.ctx.transaction((tx) => change.execute(tx))

      const answer = await service.get('/ready')

      assert.equal(answer.status, 503)
      assert.equal(answer.body.checks.database, 'ok')
      assert.equal(answer.body.checks.migrations, migrations)
    })
  }

  test('200 while a newer version has migrated and this one can go on, as during an upgrade', async () => {
    await using service = await start()
    const change = sql`insert into coffee_shop_migrations (name) values ('9999-newer')`
    await service.ctx.transaction((tx) => change.execute(tx))

    const { status, body } = await service.get('/ready')

    assert.equal(status, 200)
    const { migrations, mail, keys } = body.checks
    assert.deepEqual([body.status, migrations, mail, keys], ['ready', 'newer', 'ok', 'ok'])
  })

  test('200 for probes at once, which share one check; the next one is checked anew', async () => {
    await using service = await start()
    const probes = 50
    const allAsked = Promise.withResolvers<void>()
    let [asked, checks] = [0, 0]
    const checkDatabase = async () => {
      checks++
      await allAsked.promise
      return service.ctx.checkDatabase()
    }
    await using app = createApp({ ...service.ctx, checkDatabase })
    app.addHook('preHandler', async () => {
      if (++asked === probes) setImmediate(allAsked.resolve)
    })

    const answers = await Promise.all(Array.from({ length: probes }, () => app.inject('/ready')))
    const together = checks
    const last = await app.inject('/ready')

    assert.deepEqual([together, checks], [1, 2])
    for (const { statusCode } of [...answers, last]) assert.equal(statusCode, 200)
  })

  test('503 once the process was asked to stop', async () => {
    await using service = await start()
    let draining = false
    const app = createApp(service.ctx, { isDraining: () => draining })
    const before = await app.inject('/ready')
    draining = true

    const answer = await app.inject('/ready')

    assert.equal(before.statusCode, 200)
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.json().checks.draining, true)
    assert.equal(answer.json().checks.database, 'ok')
    await app.close()
  })

  test('200 and mail delayed while a message has been due for 60 seconds: no worker runs', async () => {
    await using service = await start()
    await service.signUp('ann@example.com')

    service.advance(MINUTE_MS - 1)
    const states = [await look(service, 'mail')]
    service.advance(1)
    states.push(await look(service, 'mail'))
    await service.deliverMail()
    states.push(await look(service, 'mail'))

    // The reminder waits for tomorrow, and is late for nobody.
    assert.deepEqual(states, ['200 ok', '200 delayed', '200 ok'])
  })

  test('200 and mail delayed while a transport is down, though each try puts the message off', async () => {
    await using service = await start()
    await service.signUp('ann@example.com')
    service.advance(MINUTE_MS)

    await deliverBy(service, () => new DeliveryError('transport', 'the server is gone'))

    assert.equal(await look(service, 'mail'), '200 delayed')
  })

  test('200 and clean_up refused until a later run, or the clock is set right', async () => {
    await using service = await start()
    const tick = () => runDueJobs(service.ctx, RECURRING_JOBS)
    await tick()
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })

    service.advance(40 * DAY_MS)
    await tick()
    const states = [await look(service, 'clean_up')]
    for (const days of [-40, 40]) {
      service.advance(days * DAY_MS)
      states.push(await look(service, 'clean_up'))
    }
    await service.ctx.transaction((tx) => tx.deleteFrom('users').execute())
    service.advance(DAY_MS)
    await tick()
    states.push(await look(service, 'clean_up'))

    assert.deepEqual(states, ['200 refused', '200 ok', '200 refused', '200 ok'])
  })

  for (const [aheadMs, clock] of [
    [-6000, 'skewed'],
    [0, 'ok'],
    [6000, 'skewed'],
  ] as const) {
    test(`200 and clock ${clock} when the clocks are ${aheadMs} ms apart`, async () => {
      await using service = await start()
      service.advance(aheadMs)

      const answer = await service.get('/ready')

      assert.equal(answer.status, 200)
      assert.equal(answer.body.checks.clock, clock)
    })
  }
})
