import type { Context } from '../context.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Delivery } from './delivery.ts'

/** Background work of this process. */
export interface Loop {
  /** Polls at once, because a commit of this process added work. */
  wake(): void
  /** Claims nothing more; resolves when the current work is done. */
  stop(): Promise<void>
}

/** Concurrent messages per channel, so that a slow delivery does not block the others. */
export const LANES = 4
const POLL_MS = SECOND_MS

/** Combines several loops. */
export function together(loops: readonly Loop[]): Loop {
  return {
    wake() {
      for (const loop of loops) loop.wake()
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}

/**
 * Delivers the outbox of one channel until stopped: at least once, in order of due time, four at once.
 * A crash between sending and writing the outcome repeats the message with the same id.
 */
export function runDelivery(ctx: Context, delivery: Delivery): Loop {
  const deliveries = new Set<Promise<void>>()
  let woken = true
  let stopping = false
  let interrupt = () => {}

  async function loop(): Promise<void> {
    while (!stopping) {
      ctx.loops.turned(delivery.channel)
      if (deliveries.size >= LANES) await Promise.race(deliveries)
      else if (!(await takeNext())) await sleep(POLL_MS)
    }
    await Promise.all(deliveries)
  }
  async function takeNext(): Promise<boolean> {
    const eager = woken
    woken = false
    try {
      const claimed = await delivery.claim({ woken: eager })
      // Keeps a wake-up that arrived during a pause until the pause ends.
      if (claimed !== undefined || delivery.isHeld()) woken ||= eager
      if (claimed === undefined) return woken && !delivery.isHeld()
      const delivering = delivery.deliver(claimed).then(() => {
        deliveries.delete(delivering)
        // A success may have ended a pause.
        interrupt()
      })
      deliveries.add(delivering)
      return true
    } catch (error) {
      woken ||= eager
      ctx.log.error({ err: error, channel: delivery.channel }, 'cannot claim a message')
      return false
    }
  }
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      if (stopping) return resolve()
      const timer = setTimeout(resolve, ms)
      interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const running = loop()
  return {
    wake() {
      woken = true
      interrupt()
    },
    async stop() {
      stopping = true
      interrupt()
      await running
    },
  }
}
