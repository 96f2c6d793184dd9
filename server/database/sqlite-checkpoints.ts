import { closeSync, openSync, readSync } from 'node:fs'
import { MINUTE_MS } from '../lib/units.ts'
import { currentBudget, spend, withBudget } from './budget.ts'

/** From so many pages on, a checkpoint is due: SQLite’s own default. */
const DUE_PAGES = 1000
/** From so many on, every write waits for the checkpoint, after which SQLite begins the WAL anew. */
const LONG_PAGES = 10 * DUE_PAGES
/** Should the thread fail, a commit of this process does it. */
export const FALLBACK_PAGES = 2 * LONG_PAGES

export interface Checkpoints {
  /** For background work: waits for a checkpoint that runs, because both need the disk. */
  ended(): Promise<void>
  /** Before a write of a request. */
  settle(): Promise<void>
  /** After a write: begins a checkpoint when one is due. */
  begin(): void
  close(): void
}

/** Decides when the WAL is copied into the file, which `run` does off the event loop. */
export function createCheckpoints(file: string, run: () => Promise<unknown>): Checkpoints {
  // The WAL index, https://www.sqlite.org/walformat.html: its words are in the order of this machine.
  const index = openSync(`${file}-shm`, 'r')
  const words = new Uint32Array(25)
  let running: Promise<unknown> | undefined
  let isClosed = false

  function countPages(): { inWal: number; left: number } {
    if (isClosed) return { inWal: 0, left: 0 }
    readSync(index, words, 0, words.byteLength, 0)
    const [inWal = 0, copied = 0] = [words[4], words[24]]
    return { inWal, left: inWal - copied }
  }
  return {
    async ended() {
      // Within a minute; a slow disk must not make jobs fail.
      await running
    },
    async settle() {
      if (running === undefined || currentBudget() === undefined) return
      if (countPages().inWal > LONG_PAGES) await spend(running)
    },
    begin() {
      if (running !== undefined || countPages().left < DUE_PAGES) return
      // Not on the budget of the request that happens to commit now.
      running = withBudget({ remainingMs: MINUTE_MS }, run)
        .catch(() => {})
        .finally(() => (running = undefined))
    },
    close() {
      isClosed = true
      closeSync(index)
    },
  }
}
