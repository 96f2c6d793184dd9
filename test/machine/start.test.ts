import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/cluster.ts'
import { median, rssOf } from '../support/process-size.ts'
import { startProgram, temporaryFolder } from '../support/process.ts'
import { firstAnswer, startUnread, unset } from '../support/unread.ts'

const STARTS = 7
const FIRST_ANSWER_MAX_MS = 1000
const IDLE_RSS_MAX_MB = 130

test(`the first 200 from /health comes within ${FIRST_ANSWER_MAX_MS} ms, and an idle process is small`, async (t) => {
  using folder = temporaryFolder()
  const times: number[] = []
  const sizes: number[] = []

  for (let count = 0; count < STARTS; count++) {
    const port = await freePort()
    const startedAt = performance.now()
    await using program = startProgram({ env: unset(port), cwd: folder.path })
    await firstAnswer(`http://127.0.0.1:${port}`)
    times.push(performance.now() - startedAt)
    // One second after it listens, a process gives back what its start left behind.
    await delay(1500)
    sizes.push(rssOf(program.child.pid))
  }

  const [firstMs, rssMb] = [median(times), median(sizes)]
  t.diagnostic(
    `start to first 200: median ${Math.round(firstMs)} ms of ${times.map(Math.round).join(', ')}; idle RSS: median ${Math.round(rssMb)} MB`,
  )
  assert.ok(firstMs <= FIRST_ANSWER_MAX_MS, `${firstMs} ms`)
  assert.ok(rssMb <= IDLE_RSS_MAX_MB, `${rssMb} MB`)
})

test('a process whose log nobody reads answers as quickly, and does not grow', async (t) => {
  using folder = temporaryFolder()
  await using unread = await startUnread(folder.path)
  let slowestMs = 0

  await unread.fillPipe(async (ask) => {
    const askedAt = performance.now()
    assert.equal(await ask(), 401)
    slowestMs = Math.max(slowestMs, performance.now() - askedAt)
  })
  const rssMb = rssOf(unread.pid)

  t.diagnostic(
    `log unread: slowest answer ${Math.round(slowestMs)} ms, RSS ${Math.round(rssMb)} MB`,
  )
  assert.ok(slowestMs < 1000, `${slowestMs} ms`)
  assert.ok(rssMb < 2 * IDLE_RSS_MAX_MB, `${rssMb} MB`)
})
