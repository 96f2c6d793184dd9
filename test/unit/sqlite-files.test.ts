import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { absent } from '../support/programs.ts'
import { runProgram, START, startProgram, temporaryFolder } from '../support/process.ts'
import { SETTINGS } from '../support/service.ts'

const on = (file: string) => ({ ...SETTINGS, DATABASE_URL: `sqlite:///${file}`, PORT: '0' })
const isRoot = process.getuid?.() === 0
/** Root without its capabilities, whom modes of files concern; another user may not reach the checkout. */
const UNPRIVILEGED = isRoot ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : []

/** A file that an address book made. */
function otherProgram(file: string, ...statements: string[]): void {
  const handle = new DatabaseSync(file)
  handle.exec('create table contacts (name text)')
  for (const statement of statements) handle.exec(statement)
  handle.close()
}

describe('a start on SQLite', () => {
  test('says which file it opened, by its absolute path, and whether it made it', async () => {
    using folder = temporaryFolder()
    const env = { ...on('data/shop.db') }
    const said: unknown[] = []
    for (let start = 1; start <= 2; start++) {
      await using program = startProgram({ env, cwd: folder.path })
      await program.url()
      const lines = program.stdout().trim().split('\n')
      const line = lines.map((text) => JSON.parse(text)).find(({ file }) => file !== undefined)
      said.push([line.msg, line.file])
    }

    const file = join(folder.path, 'data/shop.db')
    assert.deepEqual(said, [
      ['SQLite file created', file],
      ['SQLite file opened', file],
    ])
  })

  test('is a warning of a command that made the file: it may be in the wrong folder', async () => {
    using folder = temporaryFolder()
    const options = { env: on('shop.db'), cwd: folder.path }

    const first = await runProgram(['users', 'list'], options)
    const second = await runProgram(['users', 'list'], options)

    assert.match(first.stderr, /SQLite file created/)
    assert.ok(first.stderr.includes(join(folder.path, 'shop.db')), first.stderr)
    assert.equal(second.stderr, '')
  })

  for (const [why, statements] of [
    ['which has none of our names', []],
    ['which has schema_migrations', ['create table schema_migrations (version text)']],
    [
      'which has schema_migrations like ours',
      [
        'create table schema_migrations (name text, timestamp text)',
        `insert into schema_migrations values ('1-first', '')`,
      ],
    ],
  ] as const) {
    test(`is refused in one line for the file of another program, ${why}, and leaves it as it is`, async () => {
      using folder = temporaryFolder()
      const file = join(folder.path, 'other.db')
      otherProgram(file, ...statements)
      const before = readFileSync(file)

      const start = await runProgram([], { env: on(file) })
      const doctor = await runProgram(['doctor'], { env: on(file) })

      const message = `${file} is the database of another program (it has contacts): set DATABASE_URL to another file`
      assert.deepEqual([start.exitCode, start.stderr], [1, `Cannot start: ${message}\n`])
      assert.equal(doctor.exitCode, 1)
      assert.ok(doctor.stdout.includes(`FAIL ${message}\n`), doctor.stdout)
      assert.ok(readFileSync(file).equals(before))
      assert.deepEqual(readdirSync(folder.path), ['other.db'])
    })
  }

  test('is refused in one line while another program holds the file', async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'app.db')
    const handle = new DatabaseSync(file)
    handle.exec('pragma locking_mode = exclusive; create table contacts (name text)')

    const { exitCode, stderr } = await runProgram([], { env: on(file) })
    handle.close()

    assert.equal(exitCode, 1)
    assert.match(stderr, /^Cannot start:\n {2}DATABASE_URL: another program holds a lock .*\n$/)
  })

  test('is refused in one line for a folder in the place of the WAL', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'app.db-wal'))

    const { exitCode, stderr } = await runProgram([], { env: on(join(folder.path, 'app.db')) })

    assert.equal(exitCode, 1)
    assert.match(stderr, /^Cannot start:\n {2}DATABASE_URL: .*\n$/)
  })
})

for (const [why, mode] of [
  ['a folder that this user may not write', 0o555],
  ['a file that this user may only read', 0o777],
] as const) {
  test(`doctor names ${why}, as a start does`, { skip: isRoot && absent('setpriv') }, async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'app.db')
    if (mode === 0o777) await runProgram(['migrate'], { env: on(file) })
    else writeFileSync(file, '')
    chmodSync(file, mode === 0o777 ? 0o444 : 0o666)
    chmodSync(folder.path, mode)

    const [program, ...args] = [...UNPRIVILEGED, process.execPath, ...START, 'doctor']
    const { status, stdout } = spawnSync(program, args, {
      cwd: '/',
      env: { PATH: process.env['PATH'], ...on(file) },
      encoding: 'utf8',
    })

    assert.equal(status, 1)
    assert.match(stdout, /^FAIL DATABASE_URL: the file, or its folder, is not writable /m)
  })
}

test('doctor makes neither a file nor a folder nor a key', async () => {
  using folder = temporaryFolder()
  const { SECRET_KEY: _, ...settings } = SETTINGS

  const missing = await runProgram(['doctor'], { env: settings, cwd: folder.path })
  writeFileSync(join(folder.path, 'app.db'), '')
  const empty = await runProgram(['doctor'], { env: on('app.db'), cwd: folder.path })

  assert.equal(missing.exitCode, 1)
  const file = join(folder.path, 'data/app.db')
  assert.ok(
    missing.stdout.includes(`FAIL DATABASE_URL: there is no file ${file}; npm start creates it\n`),
  )
  assert.equal(empty.exitCode, 1)
  assert.match(empty.stdout, /^FAIL migrations pending: 0001-initial/m)
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
})
