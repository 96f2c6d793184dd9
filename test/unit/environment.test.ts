import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseEnv } from 'node:util'
import { readConfig } from '../../server/settings/config.ts'
import { readDotEnv } from '../../server/settings/environment.ts'
import { SETTINGS } from '../../server/settings/settings.ts'
import { temporaryFolder } from '../support/process.ts'
import { BASE, KEY, problemsOf } from '../support/settings.ts'

// Values as Kubernetes, docker, editors and people hand them over.

describe('a value', () => {
  for (const end of ['\n', '\r\n', '\n\n', '\r']) {
    test(`is read without ${JSON.stringify(end)} at its end`, () => {
      const { config } = readConfig({ ...BASE, PORT: `9000${end}`, SHOP_NAME: `Bean${end}` })

      assert.deepEqual([config.port, config.shop.name], [9000, 'Bean'])
    })
  }

  test('of nothing but line breaks counts as absent', () => {
    assert.equal(readConfig({ ...BASE, PORT: '\r\n' }).config.port, 8000)
  })

  for (const name of Object.keys(SETTINGS)) {
    test(`of ${name} is refused with the reason where nobody means what it is`, () => {
      for (const [value, reason] of [
        ['canary ', 'ends with white space or an invisible character (U+0020); remove it'],
        ['\tcanary', 'begins with white space or an invisible character (U+0009); remove it'],
        ['\ncanary', 'begins with white space or an invisible character (U+000A); remove it'],
        ['canary\u00a0\n', 'ends with white space or an invisible character (U+00A0); remove it'],
        ['\ufeffcanary', 'begins with white space or an invisible character (U+FEFF); remove it'],
        ['canary\u200b', 'ends with white space or an invisible character (U+200B); remove it'],
        ['"canary"', 'is in quotation marks, which docker --env-file keeps; remove them'],
        ["'canary'\n", 'is in quotation marks, which docker --env-file keeps; remove them'],
        [
          'tcp://10.0.0.1:8000',
          'is the address of a service, as Kubernetes sets it; add enableServiceLinks: false to the pod',
        ],
      ] as const) {
        const problems = problemsOf({ ...BASE, [name]: value }).filter((problem) =>
          problem.startsWith(`${name} `),
        )

        assert.deepEqual(problems, [`${name} ${reason}`])
      }
    })
  }

  test('of a key leaves valid what was derived from it with its line break', () => {
    const idsOf = (key: string) =>
      readConfig({ ...BASE, SECRET_KEY: key }).secrets.keys.all.map(({ id }) => id)

    const [current, former, ...others] = idsOf(`${KEY}\n`)

    assert.deepEqual(idsOf(KEY), [current])
    assert.equal(typeof former, 'string')
    assert.deepEqual(others, [])
  })
})

describe('.env', () => {
  const read = (content: string | Buffer) => {
    using folder = temporaryFolder()
    const path = join(folder.path, '.env')
    writeFileSync(path, content)
    return readDotEnv(path)
  }

  test('that is not there sets nothing', () => {
    const { values, problems } = readDotEnv('/nowhere/.env')

    assert.deepEqual({ values, problems }, { values: {}, problems: [] })
  })

  test('is read as Node reads it', () => {
    const text = `# PORT: 1, it's\nexport PORT = 9000 # here\r\nSHOP_NAME="Bean # \nLeaf"\n\nDOCS='off'#\nHOST=::1\n`

    assert.deepEqual(read(text), { values: parseEnv(text), problems: [], warnings: [] })
  })

  for (const [why, content, expected] of [
    ['with a byte order mark', '\ufeffPORT=1', 'it begins with a byte order mark; save it as'],
    ['in UTF-16', Buffer.from('\ufeffPORT=1', 'utf16le'), 'it is UTF-16; save it as UTF-8'],
    ['in big-endian UTF-16', Buffer.from('\ufeffPORT', 'utf16le').swap16(), 'it is UTF-16; save'],
    ['in UTF-16 without its mark', Buffer.from('PORT=1', 'utf16le'), 'it is UTF-16; save it as'],
    ['in Latin-1', Buffer.from('SHOP_NAME=Café', 'latin1'), 'it is not UTF-8'],
    ['of a gigabyte', 'A=1\n'.repeat(20_000), 'it is larger than 64 KiB'],
  ] as const) {
    test(`${why} is refused with the reason`, () => {
      const { values, problems } = read(content)

      assert.deepEqual(values, {})
      const start = `.env cannot be read: ${expected}`
      assert.equal(problems.join('\n').slice(0, start.length), start)
    })
  }

  for (const [why, make, expected] of [
    ['is a folder', (path: string) => mkdirSync(path), 'it is a folder'],
    [
      'is a link to nothing',
      (path: string) => symlinkSync('nowhere', path),
      'it does not exist, or is a link to a file that does not exist',
    ],
    [
      'is a link to itself',
      (path: string) => symlinkSync(path, path),
      'it is not readable (ELOOP)',
    ],
  ] as const) {
    test(`that ${why} is refused with the reason`, () => {
      using folder = temporaryFolder()
      const path = join(folder.path, '.env')
      make(path)

      assert.deepEqual(readDotEnv(path).problems, [`.env cannot be read: ${expected}`])
    })
  }

  for (const [text, expected] of [
    ['PORT: 1', 'PORT has no = after it in .env; write PORT=value'],
    ['  PORT : 1\r\n', 'PORT has no = after it in .env; write PORT=value'],
    ['PORT 1', 'PORT has no = after it in .env; write PORT=value'],
    [
      'SECRET_KEY_FILE: /run/canary',
      'SECRET_KEY_FILE has no = after it in .env; write SECRET_KEY_FILE=value',
    ],
    ['PORT=1\nHOST=::1\nexport PORT=1', 'PORT is set twice in .env; keep one line'],
    [
      'ADMIN_PASSWORD=canary#canary',
      'ADMIN_PASSWORD is cut off at # in .env; put the value in quotation marks',
    ],
    [
      'ADMIN_PASSWORD=#canary',
      'ADMIN_PASSWORD is cut off at # in .env; put the value in quotation marks',
    ],
    ['ADMIN_PASSWORD="canary\nPORT=1', 'ADMIN_PASSWORD lacks its closing quotation mark in .env'],
    ["SHOP_NAME='canary\nMAIL_URL=`x`", 'SHOP_NAME lacks its closing quotation mark in .env'],
    ['X="canary\nPORT=1\nY="', 'PORT is inside the quotation marks of X in .env'],
  ] as const) {
    test(`with ${JSON.stringify(text)} is refused by name`, () => {
      assert.deepEqual(read(text).problems, [expected])
    })
  }

  test('may hold what other programs put there, and is warned of what is no setting', () => {
    const { problems, warnings } = read(
      'PGUSER=a\nPGUSER=b\nCOMPOSE_PROJECT_NAME=a#b\n- PORT\nDATABSE_URL=canary\nSHOP_NAME="a\nPORT: 1"',
    )

    assert.deepEqual(problems, [])
    assert.deepEqual(warnings, [
      '.env contains DATABSE_URL, which is not a setting; check the spelling',
    ])
  })
})
