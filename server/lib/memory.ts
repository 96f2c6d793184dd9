import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Frees the memory that was used for loading and compiling. Measured: 121 MB instead of 150 MB for a
 * pause of about 30 ms. V8 collects it only when the heap grows, which does not happen when idle.
 */
export function releaseStartupMemory(): void {
  setFlagsFromString('--expose-gc')
  const collect: NodeJS.GCFunction = runInNewContext('gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
