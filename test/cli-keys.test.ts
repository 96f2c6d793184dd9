import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSigningKeys } from '../server/signing-key-file.ts'
import { MINUTE_MS } from '../server/lib/units.ts'
import { type Finished, runProgram, temporaryFolder } from './support/process.ts'
import { SETTINGS, startService } from './support/service.ts'

/** The command on the database of a service, with a key file that is not there yet. */
async function startWithCommand() {
  const service = await startService()
  const folder = temporaryFolder()
  const path = join(folder.path, 'keys.json')
  const keys = { ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY_FILE: path }
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl, ...keys }
  return {
    path,
    run: () => runProgram(['keys', 'rotate'], { env }),
    events: () =>
      service.ctx.db
        .selectFrom('audit_events')
        .selectAll()
        .where('event', '=', 'key.rotated')
        .orderBy('id')
        .execute(),
    async [Symbol.asyncDispose]() {
      folder[Symbol.dispose]()
      await service[Symbol.asyncDispose]()
    },
  }
}

const shownBy = ({ exitCode, stdout, stderr }: Finished) => {
  assert.equal(exitCode, 0, stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kid: string; alg: string; signs_from: string })
}

test('0 makes the file, then adds a key that signs in half an hour, and records each', async () => {
  await using command = await startWithCommand()
  const startedAt = Date.now()

  const runs = [await command.run(), await command.run(), await command.run()]

  const [first = [], second = [], third] = runs.map(shownBy)
  assert.equal(first.length, 1)
  assert.equal(first[0]?.alg, 'EdDSA')
  assert.deepEqual(second.slice(0, 1), first)
  assert.deepEqual(third, second)
  assert.match(runs[2]?.stderr ?? '', /^The next key waits/)
  const aheadMs = Date.parse(second[1]?.signs_from ?? '') - startedAt
  assert.ok(aheadMs >= 30 * MINUTE_MS && aheadMs < 32 * MINUTE_MS, `${aheadMs} ms`)

  const { keys } = loadSigningKeys(command.path, 'EdDSA')
  const kids = keys.map(({ kid }) => kid)
  assert.deepEqual(
    kids,
    second.map(({ kid }) => kid),
  )
  const events = await command.events()
  assert.deepEqual(
    events.map(({ changes }) => JSON.parse(changes)),
    second,
  )
  const told = JSON.stringify([runs, events])
  for (const { privateKey } of keys) {
    const { d = '' } = privateKey.export({ format: 'jwk' })
    assert.ok(d.length > 40 && !told.includes(d))
  }
})

test('1 for a file that holds something else: it stays as it is, and nothing is recorded', async () => {
  await using command = await startWithCommand()
  writeFileSync(command.path, 'canary')

  const { exitCode, stdout, stderr } = await command.run()

  assert.deepEqual([exitCode, stdout], [1, ''])
  assert.match(stderr, /JWT_PRIVATE_KEY_FILE names a file that holds neither a private key/)
  assert.doesNotMatch(stderr, /canary|^ +at /m)
  assert.equal(readFileSync(command.path, 'utf8'), 'canary')
  assert.deepEqual(await command.events(), [])
})
