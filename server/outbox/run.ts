import type { Context } from '../context.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Delivery } from './delivery.ts'

/** Background work of this process. */
export interface Loop {
  /** A commit of this process added work: look at once. */
  wake(): void
  /** Takes nothing more, and resolves when what is in hand is done. */
  stop(): Promise<void>
}

/** Messages of one channel in hand at once: a server that is slow for one holds up only that one. */
export const LANES = 4
const POLL_MS = SECOND_MS

/** Several loops as one. */
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
 * Delivers what is in the outbox for one channel until stopped: at least once, in the order in which
 * it became due, four at once. A crash between sending and finishing sends the same message, with the
 * same id, once more.
 */
export function runDelivery(ctx: Context, delivery: Delivery): Loop {
  const inHand = new Set<Promise<void>>()
  let woken = true
  let stopping = false
  let interrupt = () => {}

  async function loop(): Promise<void> {
    while (!stopping) {
      // The end of a message may end the pause, too.
      if (inHand.size >= LANES) await Promise.race(inHand)
      else if (!(await takeNext())) await sleep(POLL_MS)
    }
    await Promise.all(inHand)
  }
  async function takeNext(): Promise<boolean> {
    const eager = woken
    woken = false
    try {
      const claimed = await delivery.claim({ woken: eager })
      // A pause forgets nobody: what was written meanwhile is taken up at once when it ends.
      if (claimed !== undefined || delivery.isHeld()) woken ||= eager
      if (claimed === undefined) return woken && !delivery.isHeld()
      const delivering = delivery.deliver(claimed).then(() => {
        inHand.delete(delivering)
        interrupt()
      })
      inHand.add(delivering)
      return true
    } catch (error) {
      woken ||= eager
      ctx.log.error({ err: error, channel: delivery.channel }, 'outbox cannot be read')
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
