import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { MINUTE_MS } from '../../server/lib/units.ts'

const POLL_MS = 20
/** So that a hang says what it waits for; nothing that works takes so long on any machine. */
const PATIENCE_MS = 5 * MINUTE_MS

/** Waits for what must come to pass, whenever that is. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - startedAt < PATIENCE_MS, `it never came: ${what}`)
    await delay(POLL_MS)
  }
}
