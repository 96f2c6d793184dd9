import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/cluster.ts'
import { buildImage, noImage } from '../support/image.ts'
import { temporaryFolder } from '../support/process.ts'
import { median, rssOf } from '../support/process-size.ts'
import { firstAnswer, unset } from '../support/unread.ts'

const STARTS = 7
const FIRST_ANSWER_MAX_MS = 500
const IDLE_RSS_MAX_MB = 100

test(
  `in the image the first 200 comes within ${FIRST_ANSWER_MAX_MS} ms, and an idle process is small`,
  { skip: noImage },
  async (t) => {
    using image = buildImage()
    const times: number[] = []
    const sizes: number[] = []

    for (let count = 0; count < STARTS; count++) {
      using folder = temporaryFolder()
      const port = await freePort()
      const startedAt = performance.now()
      const child = image.start({ volume: folder.path, user: '0', settings: unset(port) })
      await firstAnswer(`http://127.0.0.1:${port}`)
      times.push(performance.now() - startedAt)
      // One second after it listens, a process gives back what its start left behind.
      await delay(1500)
      sizes.push(rssOf(child.pid))
      child.kill()
      await once(child, 'exit')
    }

    const [firstMs, rssMb] = [median(times), median(sizes)]
    t.diagnostic(
      `start to first 200: median ${Math.round(firstMs)} ms of ${times.map(Math.round).join(', ')}; idle RSS: median ${Math.round(rssMb)} MB`,
    )
    assert.ok(firstMs <= FIRST_ANSWER_MAX_MS, `${firstMs} ms`)
    assert.ok(rssMb <= IDLE_RSS_MAX_MB, `${rssMb} MB`)
  },
)
