/** More than a message takes from one tab to another, in case that its tab is gone. */
const HEARING_MS = 5_000

/** One task at a time, in the order of the calls. */
export function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const mine = last.then(task)
    last = mine.catch(() => {})
    return mine
  }
}

/**
 * Runs one task of a name at a time, over all tabs where there are Web Locks (https, localhost) and else in
 * this one. `isLate` says that another one was first.
 */
export function createTurns(): <T>(
  name: string,
  task: (isLate: boolean) => Promise<T>,
) => Promise<T> {
  let locks: typeof navigator.locks | undefined = globalThis.navigator?.locks
  const queue = createQueue()
  return async (name, task) => {
    if (locks === undefined) return queue(() => task(false))
    try {
      const first = await locks.request(name, { ifAvailable: true }, async (lock) =>
        lock === null ? undefined : { result: await task(false) },
      )
      return first === undefined ? await locks.request(name, () => task(true)) : first.result
    } catch (error) {
      if ((error as Error | undefined)?.name !== 'SecurityError') throw error
      // A sandboxed page has locks, but may not take them.
      locks = undefined
      return queue(() => task(false))
    }
  }
}

export interface Channel<T> {
  send(message: T): void
  /** The last one, of this tab or another. */
  latest(): T | undefined
  /** Resolves after the next one, or when none comes. */
  next(): Promise<void>
}

/** Between the tabs of an origin; undefined where there is no BroadcastChannel. */
export function openChannel<T>(
  name: string,
  hear: (message: T) => Promise<void>,
): Channel<T> | undefined {
  if (globalThis.BroadcastChannel === undefined) return undefined
  const channel = new BroadcastChannel(name)
  const waiting = new Set<() => void>()
  let latest: T | undefined
  function take(message: T): void {
    latest = message
    for (const wake of waiting) wake()
  }
  channel.addEventListener('message', (event) => {
    const { data } = event as { data: T }
    hear(data).then(
      () => take(data),
      () => {}, // Of another version of the client.
    )
  })
  // A channel is no reason for Node to keep a process.
  if ('unref' in channel && typeof channel.unref === 'function') channel.unref()
  return {
    send(message) {
      channel.postMessage(message)
      take(message)
    },
    latest: () => latest,
    next: () =>
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, HEARING_MS)
        waiting.add(wake)
      }),
  }
}
