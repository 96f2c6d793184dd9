/** Releases the slot; the next in the queue takes it. */
export type EndTurn = () => void

export interface Waiting {
  /** Resolves when the caller has a slot. */
  readonly turn: Promise<EndTurn>
  /** Leaves the queue, or releases a slot that was already granted. */
  readonly abandon: () => void
}

export interface Turns {
  /** Takes a free slot, or joins the queue. */
  enter(): Waiting
  /** The number of free slots. */
  free(): number
  /** The length of the queue. */
  waiting(): number
}

/** A FIFO semaphore with `slots` slots. */
export function createTurns(slots: number): Turns {
  const queue: (() => void)[] = []
  let free = slots

  function next(): void {
    const first = queue.shift()
    if (first) first()
    else free++
  }
  return {
    free: () => free,
    waiting: () => queue.length,
    enter() {
      if (free > 0) {
        free--
        return { turn: Promise.resolve(next), abandon: next }
      }
      const { promise, resolve } = Promise.withResolvers<EndTurn>()
      const begin = () => resolve(next)
      queue.push(begin)
      return {
        turn: promise,
        abandon() {
          const index = queue.indexOf(begin)
          if (index === -1) next()
          else queue.splice(index, 1)
        },
      }
    },
  }
}
