import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../support/process.ts'
import { times } from '../support/races.ts'
import { missing, startRedis } from '../support/redis-server.ts'
import { startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const ANSWER_MAX_MS = 1500
/** The first waits for Redis, 100 ms at most; nobody does after it. */
const MEDIAN_MAX_MS = 50

test('a Redis that hangs delays nobody', { skip: missing }, async (t) => {
  await using redis = await startRedis()
  using folder = temporaryFolder()
  const DATABASE_URL = `sqlite:///${folder.path}/app.db`
  await using server = await startServer({ DATABASE_URL, REDIS_URL: redis.url })
  await until('Redis', async () => {
    const ready: any = await (await fetch(`${server.url}/ready`)).json()
    return ready.checks.redis === 'ok'
  })
  const took: number[] = []

  redis.signal('SIGSTOP')
  for (const n of times(30)) {
    const startedAt = performance.now()
    const answer = await fetch(`${server.url}/auth/password/forgot`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `stranger${n}@example.com` }),
    })
    await answer.text()
    took.push(performance.now() - startedAt)
  }
  redis.signal('SIGCONT')

  const sorted = took.toSorted((a, b) => a - b)
  const [medianMs = 0, longestMs = 0] = [sorted[15], sorted.at(-1)]
  t.diagnostic(`median ${medianMs} ms, longest ${longestMs} ms`)
  assert.ok(medianMs <= MEDIAN_MAX_MS, `${medianMs} ms`)
  assert.ok(longestMs <= ANSWER_MAX_MS, `${longestMs} ms`)
})
