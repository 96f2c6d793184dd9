/** Ends a turn; the next in line begins. */
export type EndTurn = () => void

export interface Waiting {
  /** Resolves when it is the caller's turn. */
  readonly turn: Promise<EndTurn>
  /** Leaves the line; a turn that was granted meanwhile goes on to the next. */
  readonly abandon: () => void
}

export interface Turns {
  /** Takes a free place at once, or the last one in the line. */
  enter(): Waiting
  /** Places that nobody has. */
  free(): number
  /** The length of the line. */
  waiting(): number
}

/** `places` at a time have their turn, first come, first served. */
export function createTurns(places: number): Turns {
  const line: (() => void)[] = []
  let free = places

  function next(): void {
    const first = line.shift()
    if (first) first()
    else free++
  }
  return {
    free: () => free,
    waiting: () => line.length,
    enter() {
      if (free > 0) {
        free--
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
    },
  }
}
