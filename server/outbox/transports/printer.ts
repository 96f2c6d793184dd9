import { type Output, OutputStuckError } from '../../lib/log.ts'
import { DeliveryError } from './delivery-error.ts'

/** Prints each message once, however often it is retried. Throws only DeliveryError. */
export function createPrinter(output: Pick<Output, 'write' | 'flush'>) {
  /** Ids of lines that are written but not flushed; a retry must not print them again. */
  const queued = new Set<string>()
  return async (lines: string, id: string): Promise<void> => {
    if (!queued.has(id)) output.write(`${lines}\n`)
    queued.add(id)
    try {
      // A message counts as sent only once it is flushed: a kill must not lose it.
      await output.flush()
      queued.delete(id)
    } catch (error) {
      if (!(error instanceof OutputStuckError)) queued.delete(id)
      throw new DeliveryError('transport', (error as Error).message, { cause: error })
    }
  }
}
