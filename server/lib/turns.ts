/** Releases the slot; the next in the queue takes it. */
export type EndTurn = () => void

export interface Waiting {
  /** Already, where a slot was free. */
  readonly granted: EndTurn | undefined
  /** Resolves when the caller has a slot; to undefined when another key took the place in the queue. */
  readonly turn: Promise<EndTurn | undefined>
  /** Leaves the queue, or releases a slot that was already granted. */
  readonly abandon: () => void
}

export interface TurnsOptions {
  readonly slots: number
  /** The length of the queue. Beyond it, the key with the most places loses its newest one. */
  readonly waitingMax?: number
  /** The places that one key may hold, running and waiting. */
  readonly heldMax?: number
  /** The slots that one key may hold; further entries wait. */
  readonly runningMax?: number
}

export interface Turns {
  /** Takes a free slot, or joins the queue; undefined when there is no place for these keys. */
  enter(keys?: readonly string[]): Waiting | undefined
  /** False when `enter` would return undefined. */
  hasPlace(keys?: readonly string[]): boolean
  /** The number of free slots. */
  free(): number
  /** The length of the queue. */
  waiting(): number
}

interface Entry {
  readonly keys: readonly string[]
  /** The lowest goes next: the next round when it came, and one later for each place that its keys held. */
  readonly rank: number
  /** Resolves the turn. */
  readonly settle: (endTurn: EndTurn | undefined) => void
  state: 'waiting' | 'running' | 'left'
}

/**
 * A semaphore that is fair by key (start-time fair queuing): keys take turns, so that a key with many
 * entries does not delay the others, and a flood of new keys does not delay it for ever. Entries without
 * keys, those of the service itself, always have a place.
 */
export function createTurns(options: TurnsOptions): Turns {
  const { slots, waitingMax = Infinity, heldMax = Infinity, runningMax = Infinity } = options
  const queue: Entry[] = []
  const held = new Map<string, number>()
  const running = new Map<string, number>()
  let free = slots
  /** The highest rank that has started. New entries join the next round, so that each round ends. */
  let round = 0

  const most = (counts: Map<string, number>, { keys }: Pick<Entry, 'keys'>) =>
    Math.max(0, ...keys.map((key) => counts.get(key) ?? 0))
  const mayRun = (entry: Pick<Entry, 'keys'>) => free > 0 && most(running, entry) < runningMax

  /** The newest entry of the key with the most places, if it keeps more than `keys` would have. */
  function findHeaviest(keys: readonly string[]): Entry | undefined {
    let heaviest: Entry | undefined
    let places = most(held, { keys }) + 2
    for (const entry of queue) {
      if (most(held, entry) < places) continue
      heaviest = entry
      places = most(held, entry)
    }
    return heaviest
  }
  function hasPlace(keys: readonly string[] = []): boolean {
    if (keys.length === 0) return true
    if (most(held, { keys }) >= heldMax) return false
    return mayRun({ keys }) || queue.length < waitingMax || findHeaviest(keys) !== undefined
  }
  function start(entry: Entry): void {
    free--
    round = Math.max(round, entry.rank)
    add(running, entry.keys, 1)
    entry.state = 'running'
    entry.settle(() => leave(entry))
  }
  function leave(entry: Entry): void {
    if (entry.state === 'left') return
    add(held, entry.keys, -1)
    if (entry.state === 'waiting') {
      queue.splice(queue.indexOf(entry), 1)
    } else {
      free++
      add(running, entry.keys, -1)
    }
    entry.state = 'left'
    for (let next = findNext(); next !== undefined; next = findNext()) {
      queue.splice(queue.indexOf(next), 1)
      start(next)
    }
  }
  function shed(keys: readonly string[]): void {
    const entry = findHeaviest(keys)
    if (entry === undefined) return
    leave(entry)
    entry.settle(undefined)
  }
  function findNext(): Entry | undefined {
    let next: Entry | undefined
    for (const entry of queue) {
      if ((next === undefined || entry.rank < next.rank) && mayRun(entry)) next = entry
    }
    return next
  }

  return {
    hasPlace,
    free: () => free,
    waiting: () => queue.length,
    enter(keys = []) {
      if (!hasPlace(keys)) return undefined
      const { promise, resolve } = Promise.withResolvers<EndTurn | undefined>()
      let granted: EndTurn | undefined
      const settle = (endTurn: EndTurn | undefined) => {
        granted = endTurn
        resolve(endTurn)
      }
      const starts = mayRun({ keys })
      if (!starts && queue.length >= waitingMax) shed(keys)
      const rank = round + 1 + most(held, { keys })
      const entry: Entry = { keys, rank, settle, state: 'waiting' }
      add(held, keys, 1)
      if (starts) start(entry)
      else queue.push(entry)
      return { granted, turn: promise, abandon: () => leave(entry) }
    },
  }
}

function add(counts: Map<string, number>, keys: readonly string[], by: number): void {
  for (const key of keys) {
    const count = (counts.get(key) ?? 0) + by
    if (count > 0) counts.set(key, count)
    else counts.delete(key)
  }
}
