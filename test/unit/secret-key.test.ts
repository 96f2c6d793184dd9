import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openSqlite } from '../../server/database/sqlite.ts'
import { loadOrCreateSecretKey } from '../../server/settings/secret-key.ts'
import { temporaryFolder } from '../support/process.ts'
import { raceProcesses } from '../support/racers.ts'

const PROCESSES = 6
const KEYS_EACH = 15

test('the key is made once, in a file that only its owner reads, and nothing else is left', () => {
  using folder = temporaryFolder()
  const database = join(folder.path, 'data', 'app.db')

  const first = loadOrCreateSecretKey(database)
  const second = loadOrCreateSecretKey(database)

  const file = join(folder.path, 'data', 'secret.key')
  assert.equal(second, first)
  assert.ok(first.length >= 43, 'at least 256 bits as base64url')
  assert.equal(readFileSync(file, 'utf8').trim(), first)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(folder.path, 'data')), ['secret.key'])
})

for (const [maker, make] of [
  ['the key', (file: string) => void loadOrCreateSecretKey(file)],
  ['the database', (file: string) => openSqlite(file).close()],
] as const) {
  test(`a folder that is made for ${maker} is its owner’s alone`, async () => {
    using folder = temporaryFolder()
    const umask = process.umask(0o022)

    try {
      await make(join(folder.path, 'data', 'app.db'))
    } finally {
      process.umask(umask)
    }

    assert.equal(statSync(join(folder.path, 'data')).mode & 0o777, 0o700)
  })
}

test('a database that is made is its owner’s alone, and so is its log', async () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'app.db')
  const umask = process.umask(0o022)

  const backend = openSqlite(file)
  await sql`create table something (id integer)`.execute(backend.writer)
  process.umask(umask)

  const modes = readdirSync(folder.path).map((name) => statSync(join(folder.path, name)).mode)
  assert.ok(modes.length > 1, 'with its log')
  for (const mode of modes) assert.equal(mode & 0o777, 0o600)
  await backend.close()
})

test('a private database has a key that no file holds and that no other has', () => {
  assert.notEqual(loadOrCreateSecretKey(undefined), loadOrCreateSecretKey(undefined))
})

test('an operator’s own key in the file is used as it is', () => {
  using folder = temporaryFolder()
  const key = 'an operator’s own key, long enough for anything'
  writeFileSync(join(folder.path, 'secret.key'), `${key}\n`)

  assert.equal(loadOrCreateSecretKey(join(folder.path, 'app.db')), key)
})

for (const [why, content] of [
  ['is empty', ''],
  ['was cut short', 'hJ4vXq9mZ2rT8wYk'],
  ['holds the zeros that a crash left', '\0'.repeat(65)],
  ['holds a placeholder', 'your-secret-key-change-in-production'],
] as const) {
  test(`a key file that ${why} is refused and left as it is`, () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'secret.key')
    writeFileSync(file, content)

    assert.throws(() => loadOrCreateSecretKey(join(folder.path, 'app.db')), /damaged; restore it/)

    assert.equal(readFileSync(file, 'utf8'), content)
  })
}

test('a key file that cannot be read is refused, never replaced', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'secret.key'))

  assert.throws(() => loadOrCreateSecretKey(join(folder.path, 'app.db')), {
    message: `${join(folder.path, 'secret.key')} cannot be read (EISDIR); make it a file of the user who runs the service`,
  })
})

test('of many processes that start at once one makes the key and all use it', async () => {
  using folder = temporaryFolder()
  // Many folders make many races of one start.
  const keys = await raceProcesses(
    PROCESSES,
    'settings/secret-key.ts',
    `for (let i = 0; i < ${KEYS_EACH}; i++)
      console.log(module.loadOrCreateSecretKey(${JSON.stringify(folder.path)} + '/' + i + '/app.db'))`,
  )

  for (let index = 0; index < KEYS_EACH; index++) {
    const seen = new Set(keys.map((ofProcess) => ofProcess[index]))
    const file = readFileSync(join(folder.path, String(index), 'secret.key'), 'utf8').trim()
    assert.deepEqual([...seen], [file])
    assert.deepEqual(readdirSync(join(folder.path, String(index))), ['secret.key'])
  }
  assert.equal(new Set(keys[0]).size, KEYS_EACH)
})
