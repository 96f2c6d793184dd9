import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { MINUTE_MS } from '../../server/lib/units.ts'

const POLL_MS = 20
/** So that a hang says what it waits for; nothing that works takes so long on any machine. */
const PATIENCE_MS = 5 * MINUTE_MS

/** Waits for what must come to pass, whenever that is. `what` may say how far it came, if it never does. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > PATIENCE_MS)
      assert.fail(`it never came: ${typeof what === 'string' ? what : what()}`)
    await delay(POLL_MS)
  }
}

/**
 * Asks a service again that a busy machine left no time: 503, after which any client tries again. What
 * was answered 503 may have been done all the same.
 */
export async function fetchPatiently(url: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response | undefined
  await until(`an answer other than 503 from ${url}`, async () => {
    answer = await fetch(url, init)
    if (answer.status !== 503) return true
    await answer.body?.cancel()
    return false
  })
  return answer as Response
}
