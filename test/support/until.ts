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
