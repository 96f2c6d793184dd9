import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, query, startCluster } from '../support/cluster.ts'
import { runProgram } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { until } from '../support/until.ts'

test('a database that logical replication has filled goes on after the highest id', async () => {
  const cluster = await startCluster({ durable: true })
  try {
    await query(`${cluster.url}postgres`, 'alter system set wal_level = logical')
    await cluster.crash()
    await cluster.restart()
    const first = await createDatabase(cluster.url, 'first')
    const second = await createDatabase(cluster.url, 'second')
    const run = (url: string, ...args: string[]) =>
      runProgram(args, { env: { ...SETTINGS, DATABASE_URL: url }, input: PASSWORD })
    for (const name of ['ann', 'bob']) await run(first, 'users', 'create', `${name}@example.com`)
    await run(second, 'migrate')

    // On one server the subscription cannot make the slot by itself: it would wait for its own transaction.
    await query(first, 'create publication shop for table users, audit_events')
    await query(first, `select pg_create_logical_replication_slot('shop', 'pgoutput')`)
    await query(
      second,
      `create subscription shop connection '${first}' publication shop with (create_slot = false)`,
    )
    await until('two users in the second database', async () => {
      const [row] = await query(second, 'select count(*)::int as count from users')
      return row.count === 2
    })
    const doctor = await run(second, 'doctor')
    const created = await run(second, 'users', 'create', 'eve@example.com')

    assert.match(doctor.stdout, /^FAIL new rows of users would get ids that were used/m)
    assert.match(doctor.stdout, /^FAIL new rows of audit_events/m)
    assert.equal(created.exitCode, 0, created.stderr)
    assert.equal(JSON.parse(created.stdout).id, 3)
    assert.match((await run(second, 'doctor')).stdout, /^ok {3}ids$/m)
  } finally {
    await cluster.stop()
  }
})
