import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createKeyFile } from '../support/signing-keys.ts'

test('a request waits a second at most for a key file that does not answer, and only once', async () => {
  using file = createKeyFile('EdDSA')
  const module = resolve(import.meta.dirname, '../../server/signing-key-file.ts')
  // The only thread that reads files is busy for longer than the test, as if the file system hung.
  const script = `
    const { pbkdf2 } = await import('node:crypto')
    const { writeSync } = await import('node:fs')
    const { loadSigningKeys, watchSigningKeys } = await import(${JSON.stringify(module)})
    let nowMs = 0
    const log = { info() {}, error() {} }
    const file = loadSigningKeys(${JSON.stringify(file.path)}, 'EdDSA')
    const keys = watchSigningKeys(file, { now: () => nowMs, log })
    pbkdf2('x', 'y', 2 ** 31 - 1, 64, 'sha512', () => {})
    for (let asked = 0; asked < 3; asked++) {
      nowMs += 31_000
      const startedAt = performance.now()
      const { kid } = await keys.signing()
      writeSync(1, kid + ' ' + Math.round(performance.now() - startedAt) + '\\n')
    }
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })

  const lines = (await text(child.stdout)).trim().split('\n')

  const waits = lines.map((line) => Number(line.split(' ')[1]))
  assert.equal(lines.length, 3)
  for (const line of lines) assert.equal(line.split(' ')[0], file.newest().kid)
  assert.ok((waits[0] ?? 0) >= 900 && (waits[0] ?? 0) < 3000, `${waits[0]} ms`)
  for (const wait of waits.slice(1)) assert.ok(wait < 100, `${wait} ms`)
})
