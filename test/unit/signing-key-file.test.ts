import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  ConfigError,
  configWarnings,
  readConfig,
  signingKeySettings,
} from '../../server/settings/config.ts'
import { loadSigningKeys, rotateSigningKeys } from '../../server/keys/signing-key-file.ts'
import { temporaryFolder } from '../support/process.ts'
import { raceProcesses } from '../support/racers.ts'
import { ADMIN, BASE, problemsOf } from '../support/settings.ts'
import { createKeyFile, makePrivateKey, toPem } from '../support/signing-keys.ts'

const PROCESSES = 4
const FILES = 8
const NOW_MS = Date.UTC(2026, 0, 1)
const rotate = (path: string) => rotateSigningKeys(path, 'EdDSA', NOW_MS)

describe('a start', () => {
  for (const [why, spoil, expected] of [
    [
      'does not exist',
      (path: string) => rmSync(path),
      /does not exist; npm run cli -- keys rotate/,
    ],
    [
      'is a folder',
      (path: string) => (rmSync(path), mkdirSync(path)),
      /cannot be read .*keys rotate/,
    ],
    ['is empty', (path: string) => writeFileSync(path, ''), /holds neither a private key/],
    [
      'holds a key of another kind',
      (path: string) => writeFileSync(path, toPem(makePrivateKey('ES256'))),
      /does not fit ALGORITHM, which needs an Ed25519 key$/,
    ],
  ] as const) {
    test(`refuses a key file that ${why}, in one line`, () => {
      using file = createKeyFile('EdDSA')
      spoil(file.path)

      const problems = problemsOf({ ...BASE, ...file.settings })

      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', /^JWT_PRIVATE_KEY_FILE names a file that /)
      assert.match(problems[0] ?? '', expected)
    })
  }

  for (const [why, settings, expected] of [
    [
      'an asymmetric ALGORITHM without a file',
      { ALGORITHM: 'ES256' },
      /^JWT_PRIVATE_KEY_FILE is required with .*keys rotate/,
    ],
    [
      'a file with HS256',
      { JWT_PRIVATE_KEY_FILE: '/canary' },
      /^ALGORITHM must be EdDSA, ES256 or RS256 to use JWT_PRIVATE_KEY_FILE/,
    ],
    [
      'a file with an ALGORITHM that there is not, once',
      { ALGORITHM: 'canary', JWT_PRIVATE_KEY_FILE: '/canary' },
      /^ALGORITHM must be HS256, EdDSA, ES256 or RS256$/,
    ],
  ] as const) {
    test(`refuses ${why}`, () => {
      const problems = problemsOf({ ...BASE, ...settings })

      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', expected)
      assert.doesNotMatch(problems[0] ?? '', /canary/)
    })
  }

  for (const name of ['SECRET_KEY', 'SECRET_KEY_PREVIOUS', 'ADMIN_PASSWORD']) {
    test(`refuses a private key that is also the ${name}`, () => {
      using file = createKeyFile('EdDSA')
      const admin = name === 'ADMIN_PASSWORD' ? ADMIN : {}
      const environment = { ...BASE, ...admin, ...file.settings, [`${name}_FILE`]: file.path }
      if (name in environment) delete (environment as Record<string, string>)[name]

      const problems = problemsOf(environment)

      assert.deepEqual(problems, [
        `${name} is the same as JWT_PRIVATE_KEY_FILE’s file; use a different value`,
      ])
    })
  }

  test('tells of the file together with every other mistake', () => {
    const problems = problemsOf({ ...BASE, ALGORITHM: 'EdDSA', PORT: '-1', MAIL_URL: 'x' })

    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      ['PORT', 'MAIL_URL', 'JWT_PRIVATE_KEY_FILE'],
    )
  })

  for (const [mode, warned] of [
    [0o600, false],
    [0o640, false],
    [0o644, true],
    [0o604, true],
  ] as const) {
    test(`${warned ? 'warns' : 'does not warn'} of a file with mode ${mode.toString(8)}`, () => {
      using file = createKeyFile('EdDSA')
      chmodSync(file.path, mode)

      const warnings = configWarnings(readConfig({ ...BASE, ...file.settings }).config)

      assert.equal(
        warnings.some((line) => line.startsWith('JWT_PRIVATE_KEY_FILE')),
        warned,
      )
    })
  }

  test('keeps the private key out of what may be logged', () => {
    using file = createKeyFile('EdDSA')
    const { config, secrets } = readConfig({ ...BASE, ...file.settings })
    const { d } = file.newest().privateKey.export({ format: 'jwk' })

    assert.ok(d !== undefined && secrets.signingKeyFile !== undefined)
    assert.doesNotMatch(JSON.stringify(config), new RegExp(`PRIVATE KEY|${d}`))
    assert.ok(!JSON.stringify(secrets.signingKeyFile.keys).includes(d))
  })
})

describe('a rotation', () => {
  for (const [why, settings, expected] of [
    ['no file', { ALGORITHM: 'EdDSA' }, /^ALGORITHM must be .* JWT_PRIVATE_KEY_FILE must be/],
    ['HS256', { JWT_PRIVATE_KEY_FILE: '/k' }, /^ALGORITHM must be .* JWT_PRIVATE_KEY_FILE must be/],
    ['no ALGORITHM of ours', { ALGORITHM: 'canary' }, /^ALGORITHM must be HS256, EdDSA/],
  ] as const) {
    test(`is refused for settings with ${why}`, () => {
      assert.throws(
        () => signingKeySettings({ ...settings, PORT: 'canary' }),
        (error: Error) => error instanceof ConfigError && expected.test(error.message),
      )
    })
  }

  test('is for the file that is set, whatever else is wrong', () => {
    const settings = { ALGORITHM: 'ES256', JWT_PRIVATE_KEY_FILE: '/k', PORT: 'canary' }
    assert.deepEqual(signingKeySettings(settings), { algorithm: 'ES256', path: '/k' })
  })

  test('makes a file that only its owner reads, and leaves nothing else', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'keys.json')
    const umask = process.umask(0)

    try {
      rotate(path)
    } finally {
      process.umask(umask)
    }

    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder.path), ['keys.json'])
  })

  test('keeps mode, link and the keys of a PEM that was there before', () => {
    using file = createKeyFile('RS256')
    const link = join(file.folder, 'link')
    symlinkSync('keys', link)
    chmodSync(file.path, 0o640)
    const [before] = file.keys()

    const { keys, added } = rotateSigningKeys(link, 'RS256', NOW_MS)

    assert.equal(keys[0]?.kid, before?.kid)
    assert.deepEqual([added], keys.slice(1))
    assert.equal(readlinkSync(link), 'keys')
    assert.equal(statSync(file.path).mode & 0o777, 0o640)
    assert.equal(loadSigningKeys(link, 'RS256').keys.length, 2)
  })

  test('adds none while one waits, and leaves the file as it is', () => {
    using file = createKeyFile('EdDSA')
    rotate(file.path)
    const before = readFileSync(file.path, 'utf8')

    const { keys, added } = rotate(file.path)

    assert.equal(added, undefined)
    assert.equal(keys.length, 2)
    assert.equal(readFileSync(file.path, 'utf8'), before)
  })

  test('refuses a file that it cannot read, and leaves it as it is', () => {
    using file = createKeyFile('EdDSA')
    writeFileSync(file.path, 'canary')

    assert.throws(() => rotate(file.path), /^Error: names a file that holds neither/)

    assert.equal(readFileSync(file.path, 'utf8'), 'canary')
    assert.deepEqual(readdirSync(file.folder), ['keys'])
  })

  test('is refused while another one runs, and says what to remove if none does', () => {
    using file = createKeyFile('EdDSA')
    const temporary = `${file.path}.new`
    writeFileSync(temporary, '')

    const expected = { message: new RegExp(`remove ${RegExp.escape(temporary)}$`) }
    assert.throws(() => rotate(file.path), expected)
    const keysMeanwhile = file.keys().length
    rmSync(temporary)
    const { added } = rotate(file.path)

    assert.equal(keysMeanwhile, 1)
    assert.equal(added?.kid, file.newest().kid)
  })

  test('keeps the owner and the group that the service reads the file by', (t) => {
    if (process.geteuid?.() !== 0) return t.skip('needs root to give a file away')
    using file = createKeyFile('EdDSA')
    chownSync(file.path, 1, 2)

    rotate(file.path)

    const { uid, gid } = statSync(file.path)
    assert.deepEqual([uid, gid, file.keys().length], [1, 2, 2])
  })

  test('loses no key when many processes rotate at once, and no reader sees half a file', async () => {
    using folder = temporaryFolder()
    // Many files make many races of one start.
    const told = await raceProcesses(
      PROCESSES,
      'keys/signing-key-file.ts',
      `for (let i = 0; i < ${FILES}; i++) {
        const path = ${JSON.stringify(folder.path)} + '/' + i
        const rotate = () => {
          try {
            return module.rotateSigningKeys(path, 'EdDSA', 0)
          } catch (error) {
            if (!/is being rotated/.test(error.message)) throw error
          }
        }
        let rotated
        while (rotated === undefined) rotated = rotate()
        const { keys } = rotated
        for (let n = 0; n < 20; n++) module.loadSigningKeys(path, 'EdDSA')
        console.log(keys.map(({ kid }) => kid).join(' '))
      }`,
    )

    for (let index = 0; index < FILES; index++) {
      const kept = loadSigningKeys(join(folder.path, String(index)), 'EdDSA').keys
      const kids = kept.map(({ kid }) => kid)
      const seen = new Set(told.flatMap((ofProcess) => ofProcess[index]?.split(' ') ?? []))
      assert.equal(kids.length, 2)
      assert.deepEqual([...seen].toSorted(), kids.toSorted())
    }
    assert.equal(readdirSync(folder.path).length, FILES)
  })
})
