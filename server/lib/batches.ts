interface Batch<T> {
  count: number
  isOpen: boolean
  readonly ended: Promise<T>
}

/**
 * For each key, one run at a time: what is asked for meanwhile waits for it and then shares the next run, which is
 * told for how many it is. All of them get its result, or what it throws.
 */
export function createBatches<T>(): (
  key: string,
  run: (count: number) => Promise<T>,
) => Promise<T> {
  const newest = new Map<string, Batch<T>>()
  return (key, run) => {
    const known = newest.get(key)
    if (known?.isOpen) {
      known.count++
      return known.ended
    }
    const batch: Batch<T> = { count: 1, isOpen: true, ended: start() }
    async function start(): Promise<T> {
      await known?.ended.catch(() => {})
      batch.isOpen = false
      try {
        return await run(batch.count)
      } finally {
        if (newest.get(key) === batch) newest.delete(key)
      }
    }
    newest.set(key, batch)
    return batch.ended
  }
}
