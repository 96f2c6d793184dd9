import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { runProgram, startProgram, temporaryFolder } from '../support/process.ts'
import { SETTINGS } from '../support/service.ts'

// Starts that go wrong, and .env; what a good start does is in test/edge/process.test.ts.

const PRIVATE = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', PORT: '0' }
/** Before everything else: the program takes this Node for an old one. */
const PRETEND_OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'24.9.0'}})`

async function assertRefused(
  options: { env?: Record<string, string>; cwd?: string },
  expected: RegExp,
): Promise<void> {
  const { exitCode, stdout, stderr } = await runProgram([], options)
  assert.equal(exitCode, 1)
  assert.match(stderr, expected)
  assert.doesNotMatch(stdout + stderr, /canary|^\s+at /m)
}

describe('a start', () => {
  test('is refused in one line for a damaged key file', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'data'))
    writeFileSync(join(folder.path, 'data/secret.key'), 'canary')

    await assertRefused(
      { env: { PORT: '0' }, cwd: folder.path },
      /^Cannot start:\n  SECRET_KEY .*secret\.key is damaged; restore it or remove it\n$/,
    )
  })

  test('is refused in one line for a file that is no database', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'app.db'), 'no database at all '.repeat(100))
    const env = { ...PRIVATE, DATABASE_URL: `sqlite:///${folder.path}/app.db` }

    await assertRefused(
      { env },
      /^Cannot start:\n  DATABASE_URL: the file is not an SQLite database .*\n$/,
    )
  })

  for (const [why, settings, expected] of [
    [
      'bad settings, each by name and none with its value',
      { SECRET_KEY: 'canary', PORT: 'canary', DATABASE_URL: 'mysql://u:canary@db/x' },
      /^Cannot start:\n  PORT must be .*\n  DATABASE_URL must be .*\n  SECRET_KEY must have .*\n$/,
    ],
    [
      'an old Node, before all else',
      { NODE_OPTIONS: `--import="${PRETEND_OLD}"`, PORT: 'canary' },
      /^Node 26\.10 or newer is required; this is 24\.9\.0\. .*npm ci --include=dev.*\n$/,
    ],
    [
      'a PostgreSQL that does not answer',
      { DATABASE_URL: 'postgresql://ann:canary@127.0.0.1:1/shop' },
      /^Cannot start:\n  DATABASE_URL: the PostgreSQL server refused the connection.*\(ECONNREFUSED\)\n$/,
    ],
    [
      'an address that is not ours',
      { HOST: '192.0.2.1' },
      /^Cannot start:\n  HOST is not an address of this machine\n$/,
    ],
    [
      'a folder that cannot be created',
      { DATABASE_URL: 'sqlite:////dev/null/canary/app.db' },
      /^Cannot start:\n  DATABASE_URL: the folder cannot be created.* \(E[A-Z]+\)\n$/,
    ],
    [
      'a folder that cannot be created, nor a key in it',
      { DATABASE_URL: 'sqlite:////dev/null/canary/app.db', SECRET_KEY: '' },
      /^Cannot start:\n  DATABASE_URL: the folder cannot be created.* \(E[A-Z]+\)\n$/,
    ],
    [
      'a folder instead of a file',
      { DATABASE_URL: `sqlite:///${tmpdir()}` },
      /^Cannot start:\n  DATABASE_URL: the file cannot be opened; it is a folder.*\n$/,
    ],
    [
      'a server that has no address',
      { DATABASE_URL: 'postgresql://ann:canary@nowhere.invalid/shop' },
      /^Cannot start:\n  DATABASE_URL: the host .*\n$/,
    ],
  ] as const) {
    test(`is refused without a stack for ${why}`, async () => {
      await assertRefused({ env: { ...PRIVATE, ...settings } }, expected)
    })
  }

  test('is refused in one line where the packages are not installed', async () => {
    using checkout = copyOfTheCheckout()
    const { status, stderr } = checkout.run([])

    assert.equal(status, 1)
    assert.equal(stderr, `Packages are missing in ${checkout.path}/. Run "npm ci" there.\n`)
  })

  if (existsSync('/usr/bin/node')) {
    test('by the system’s own Node works, or is refused in one line', async () => {
      await using program = startProgram({ execPath: '/usr/bin/node', env: PRIVATE })

      const listening = program.url().then(
        () => 'listens',
        () => 'ended',
      )

      if ((await listening) === 'ended')
        assert.match(program.stderr(), /^Node 26\.10 or newer.*\n$/)
    })
  }
})

test('an installation whose Node lacks a library of the system fails with its name', () => {
  using folder = temporaryFolder()
  const loader =
    'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file'
  const node = `#!/bin/sh\necho '${loader}: No such file or directory' >&2\nexit 127\n`
  writeFileSync(join(folder.path, 'node'), node, { mode: 0o755 })
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const run = (path: string) =>
    spawnSync('sh', ['-c', scripts.postinstall], {
      // Where npm has nothing to link.
      cwd: folder.path,
      env: { PATH: path },
      encoding: 'utf8',
    })

  const broken = run(`${folder.path}:/usr/bin:/bin`)
  const whole = run(process.env['PATH'] ?? '')

  assert.equal(broken.status, 1)
  assert.match(broken.stdout, /^This Node does not start\. .*: apt-get install libatomic1\n$/)
  assert.equal(whole.status, 0, whole.stderr)
  assert.doesNotMatch(whole.stdout, /This Node/)
})

describe('.env', () => {
  test('is read, and the environment wins over it', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, '.env'), 'PORT=canary\nLOG_LEVEL=canary\n')
    const { LOG_LEVEL: _, ...partly } = PRIVATE

    // PORT is set in the environment too.
    await assertRefused({ env: partly, cwd: folder.path }, /^Cannot start:\n  LOG_LEVEL .*\n$/)
  })

  test('is refused line by line, together with the mistakes of the environment', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, '.env'), 'SECRET_KEY: canary\nPORT: 1\n')
    const env = { DATABASE_URL: 'postgresql://db/shop', LOG_LEVEL: 'canary' }

    await assertRefused(
      { env, cwd: folder.path },
      /^Cannot start:\n  SECRET_KEY has no = .*\n  PORT has no = .*\n  LOG_LEVEL must be .*\n$/,
    )
  })

  test('is warned of, by a start and by doctor, where it names no setting', async () => {
    using folder = temporaryFolder()
    const lines = ['PORTS=canary', 'SECRET_KEY_FILE=', 'NODE_OPTIONS=', '# HOSTS=']
    writeFileSync(join(folder.path, '.env'), lines.join('\n'))
    const options = { env: PRIVATE, cwd: folder.path }

    await using program = startProgram(options)
    await program.url()
    const doctor = await runProgram(['doctor'], options)

    for (const text of [program.stdout(), doctor.stdout]) {
      assert.deepEqual(text.match(/\.env contains \w+, which is not a setting/g), [
        '.env contains PORTS, which is not a setting',
      ])
      assert.doesNotMatch(text, /canary/)
    }
  })

  test('beside the code is warned of where the working directory has none', async () => {
    using checkout = copyOfTheCheckout()
    symlinkSync(resolve('node_modules'), join(checkout.path, 'node_modules'))
    writeFileSync(join(checkout.path, '.env'), 'PORT=canary')
    const { stdout } = checkout.run(['doctor'])

    assert.match(stdout, /^warn (.*)\/\.env is not read: settings come from \.env in the working/m)
    assert.doesNotMatch(stdout, /canary/)
  })

  test('that cannot be read stops the start in one line', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, '.env'))

    await assertRefused(
      { env: PRIVATE, cwd: folder.path },
      /^Cannot start:\n  \.env cannot be read.*\n$/,
    )
  })
})

/** The code alone, run from another folder. */
function copyOfTheCheckout() {
  const folder = temporaryFolder()
  cpSync('server', join(folder.path, 'server'), { recursive: true })
  cpSync('package.json', join(folder.path, 'package.json'))
  const [require, main] = ['require-node.mjs', 'main.ts'].map((file) =>
    join(folder.path, 'server', file),
  )
  return {
    ...folder,
    run: (args: readonly string[]) =>
      spawnSync(process.execPath, ['--import', `${require}`, `${main}`, ...args], {
        cwd: tmpdir(),
        env: { PATH: process.env['PATH'], ...PRIVATE },
        encoding: 'utf8',
      }),
  }
}
