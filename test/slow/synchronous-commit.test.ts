import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, query, startCluster } from '../support/cluster.ts'
import { createMemoryMailer, createMemorySms } from '../support/memory-senders.ts'
import { runCommand } from '../support/server-process.ts'
import { startService } from '../support/service.ts'
import { LOGOUT } from '../support/sessions.ts'
import { until } from '../support/until.ts'

test('503 for a log-out until the synchronous standby has it, also when it is repeated', async () => {
  const cluster = await startCluster({ durable: true })
  try {
    const url = await createDatabase(cluster.url, 'synchronous')
    await runCommand(['migrate'], { DATABASE_URL: url })
    const clock = { nowMs: Date.now() }
    const replicaOf = {
      databaseUrl: url,
      clock,
      mailer: createMemoryMailer(),
      sms: createMemorySms(),
    }
    await using service = await startService({}, { replicaOf, requestBudgetMs: 500 })
    const ann = await service.addUser()
    const logOut = () => service.post(LOGOUT, { refresh_token: ann.refresh })
    const setStandby = async (name: string) => {
      await query(url, `alter system set synchronous_standby_names = '${name}'`)
      await query(url, 'select pg_reload_conf()')
      await until('the setting', async () => {
        const [row] = await query(url, 'show synchronous_standby_names')
        return row.synchronous_standby_names === name
      })
    }

    await setStandby('absent')
    const waiting = [await logOut(), await logOut()]
    await setStandby('')
    const afterwards = await logOut()

    assert.deepEqual(
      waiting.map(({ status }) => status),
      [503, 503],
    )
    assert.equal(afterwards.status, 204)
  } finally {
    await cluster.stop()
  }
})
