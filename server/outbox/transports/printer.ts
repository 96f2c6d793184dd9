import { type Output, OutputStuckError } from '../../lib/log.ts'
import { DeliveryError } from './delivery-error.ts'

/** Prints messages, each once, however often it is tried. Throws only DeliveryError. */
export function createPrinter(output: Pick<Output, 'write' | 'flush'>) {
  /** Written, and waiting for a reader: once more would be another copy. */
  const queued = new Set<string>()
  return async (lines: string, id: string): Promise<void> => {
    if (!queued.has(id)) output.write(`${lines}\n`)
    queued.add(id)
    try {
      // Only what is out counts as sent: a kill must not lose it.
      await output.flush()
      queued.delete(id)
    } catch (error) {
      if (!(error instanceof OutputStuckError)) queued.delete(id)
      throw new DeliveryError('transport', (error as Error).message, { cause: error })
    }
  }
}
