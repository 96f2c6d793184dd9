/** Calls `make` at the first call; later and concurrent calls share its result. A failure is not kept. */
export function once<T>(make: () => T | Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= Promise.try(make).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
