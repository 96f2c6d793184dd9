import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { MINUTE_MS } from '../../server/lib/units.ts'

interface Asked {
  /** Of the key that would sign. */
  readonly kid: string
  /** The event loop turned before the answer came. */
  readonly waited: boolean
  readonly ms: number
}

const MODULE = pathToFileURL(
  resolve(import.meta.dirname, '../../server/keys/signing-key-file.ts'),
).href

/** Asks for the signing key three times, each time when the file is due again, and it never answers. */
export async function askHangingKeyFile(path: string): Promise<Asked[]> {
  // The only thread that reads files is busy for longer than any test, as if the file system hung.
  const script = `
    const { pbkdf2 } = await import('node:crypto')
    const { writeSync } = await import('node:fs')
    const { loadSigningKeys, watchSigningKeys } = await import(${JSON.stringify(MODULE)})
    let nowMs = 0
    const log = { info() {}, error() {} }
    const file = loadSigningKeys(${JSON.stringify(path)}, 'EdDSA')
    const keys = watchSigningKeys(file, { now: () => nowMs, log })
    pbkdf2('x', 'y', 2 ** 31 - 1, 64, 'sha512', () => {})
    const asked = []
    for (let count = 0; count < 3; count++) {
      nowMs += 31_000
      let waited = false
      const startedAt = performance.now()
      setImmediate(() => (waited = true))
      const { kid } = await keys.signing()
      asked.push({ kid, waited, ms: performance.now() - startedAt })
    }
    writeSync(1, JSON.stringify(asked))
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Were it to wait for the file after all, it would for ever.
    timeout: 2 * MINUTE_MS,
    killSignal: 'SIGKILL',
  })
  return JSON.parse(await text(child.stdout))
}
