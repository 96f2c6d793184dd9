/** Ends a turn; the next in line begins. */
export type EndTurn = () => void

export interface Waiting {
  /** Resolves when it is the caller's turn. */
  readonly turn: Promise<EndTurn>
  /** Leaves the line; a turn that was granted meanwhile goes on to the next. */
  readonly abandon: () => void
}

/** A line in which one at a time has its turn, first come, first served. */
export function createTurns(): () => Waiting {
  const line: (() => void)[] = []
  let taken = false

  function next(): void {
    const first = line.shift()
    if (first) first()
    else taken = false
  }
  return () => {
    if (!taken) {
      taken = true
      return { turn: Promise.resolve(next), abandon: next }
    }
    const { promise, resolve } = Promise.withResolvers<EndTurn>()
    const begin = () => resolve(next)
    line.push(begin)
    return {
      turn: promise,
      abandon() {
        const place = line.indexOf(begin)
        if (place === -1) next()
        else line.splice(place, 1)
      },
    }
  }
}
