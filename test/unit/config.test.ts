import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { configWarnings, keyWarnings, readConfig } from '../../server/settings/config.ts'
import { temporaryFolder } from '../support/process.ts'
import { ADMIN, BASE, KEY, problemsOf } from '../support/settings.ts'
import { createKeyFile } from '../support/signing-keys.ts'

const JWT_KEY = `${KEY}-jwt`

const read = (environment: Record<string, string>) => readConfig({ ...BASE, ...environment })

describe('a start', () => {
  test('needs no setting at all, and then has the documented defaults', () => {
    using folder = temporaryFolder()
    const before = process.cwd()
    process.chdir(folder.path)
    try {
      const { config, secrets } = readConfig({})

      assert.deepEqual(secrets.databaseUrl, { kind: 'sqlite', path: 'data/app.db' })
      assert.deepEqual(readdirSync('data').toSorted(), ['jwt-secret.key', 'secret.key'])
      assert.equal(config.host, '127.0.0.1')
      assert.equal(config.port, 8000)
      assert.equal(config.publicUrl, 'http://localhost:8000')
      assert.equal(config.accessTokenLifetimeMs, 30 * 60 * 1000)
      assert.equal(config.sessionIdleLifetimeMs, 7 * 24 * 3600 * 1000)
      assert.deepEqual(config.argon2, { memoryKib: 19456, passes: 2 })
      assert.deepEqual(config.trustedProxies, [])
      assert.equal(config.hsts, false)
      assert.deepEqual([...configWarnings(config), ...keyWarnings(secrets)], [])
    } finally {
      process.chdir(before)
    }
  })

  test('tells all mistakes at once and makes no file', () => {
    using folder = temporaryFolder()

    const problems = problemsOf({
      DATABASE_URL: `sqlite:///${folder.path}/data/app.db`,
      PORT: 'canary',
      LOG_LEVEL: 'canary',
      CORS_ORIGINS: '*',
      ADMIN_EMAIL: 'boss@example.com',
    })

    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      ['PORT', 'CORS_ORIGINS', 'LOG_LEVEL', 'ADMIN_PASSWORD'],
    )
    assert.deepEqual(readdirSync(folder.path), [])
  })

  for (const [why, environment, expected] of [
    [
      'PostgreSQL without a key',
      { SECRET_KEY: '', DATABASE_URL: 'postgresql://db/shop' },
      /^SECRET_KEY is required with PostgreSQL; .*openssl/,
    ],
    [
      'PostgreSQL with a bad key, once',
      { SECRET_KEY: 'canary', DATABASE_URL: 'postgresql://db/shop' },
      /^SECRET_KEY must have/,
    ],
    ['the same key twice', { SECRET_KEY_PREVIOUS: KEY }, /^SECRET_KEY_PREVIOUS is the same/],
    [
      'a key that is also the admin’s password',
      { ...ADMIN, ADMIN_PASSWORD: KEY },
      /^ADMIN_PASSWORD is the same/,
    ],
    [
      'a key of access tokens that is also the secret key',
      { JWT_SECRET_KEY: KEY },
      /^JWT_SECRET_KEY is the same as SECRET_KEY;/,
    ],
    [
      'a key of access tokens that is also the previous secret key',
      { SECRET_KEY_PREVIOUS: JWT_KEY, JWT_SECRET_KEY: JWT_KEY },
      /^JWT_SECRET_KEY is the same as SECRET_KEY_PREVIOUS;/,
    ],
    [
      'a key of access tokens that is also the admin’s password',
      { ...ADMIN, ADMIN_PASSWORD: JWT_KEY, JWT_SECRET_KEY: JWT_KEY },
      /^JWT_SECRET_KEY is the same as ADMIN_PASSWORD;/,
    ],
    [
      'the same key of access tokens twice',
      { JWT_SECRET_KEY: JWT_KEY, JWT_SECRET_KEY_PREVIOUS: JWT_KEY },
      /^JWT_SECRET_KEY is the same as JWT_SECRET_KEY_PREVIOUS;/,
    ],
    [
      'an admin’s password that repeats itself',
      { ...ADMIN, ADMIN_PASSWORD: 'canarycanarycanary' },
      /^ADMIN_PASSWORD is refused: .*easy to guess/,
    ],
    [
      'an admin without a password',
      { ADMIN_EMAIL: ADMIN.ADMIN_EMAIL },
      /^ADMIN_PASSWORD is missing/,
    ],
    [
      'a password without an admin',
      { ADMIN_PASSWORD: ADMIN.ADMIN_PASSWORD },
      /^ADMIN_EMAIL is missing/,
    ],
    [
      'an admin’s password of 14',
      { ...ADMIN, ADMIN_PASSWORD: 'canary-canary!' },
      /^ADMIN_PASSWORD is refused: .*15/,
    ],
    [
      'an admin’s password that everybody knows',
      { ...ADMIN, ADMIN_PASSWORD: 'passwordpassword' },
      /^ADMIN_PASSWORD is refused/,
    ],
    [
      'an admin’s password made of the address',
      { ADMIN_EMAIL: 'canarycanarycanary@example.com', ADMIN_PASSWORD: 'CanaryCanaryCanary1' },
      /^ADMIN_PASSWORD is refused/,
    ],
    [
      'SMTP without a sender',
      { MAIL_URL: 'smtp://ann:canary@mail.example' },
      /^MAIL_FROM is missing/,
    ],
    [
      'SendGrid without a sender',
      { MAIL_URL: 'sendgrid://canary@api.sendgrid.com' },
      /^MAIL_FROM is missing/,
    ],
    [
      'sessions shorter than their idle time',
      { SESSION_MAX_DAYS: '6' },
      /^SESSION_MAX_DAYS must not be less/,
    ],
  ] as const) {
    test(`refuses ${why}`, () => {
      const problems = problemsOf({ ...BASE, ...environment })

      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', expected)
      assert.doesNotMatch(problems[0] ?? '', /canary/i)
    })
  }

  test('keeps secrets apart: the config holds none and neither can be changed', () => {
    const { config, secrets } = read({
      ...ADMIN,
      DATABASE_URL: 'postgresql://u:dbcanary@db/shop',
      MAIL_URL: 'smtp://ann:mailcanary@mail.example',
      MAIL_FROM: 'shop@example.com',
    })

    assert.doesNotMatch(JSON.stringify(config), /dbcanary|mailcanary|hJ4vXq9m|admin password/)
    assert.ok(Object.isFrozen(config) && Object.isFrozen(secrets))
  })

  test('derives what depends on other settings', () => {
    const { config } = read({ PUBLIC_URL: 'https://shop.example//', UV_THREADPOOL_SIZE: '3' })

    assert.equal(config.publicUrl, 'https://shop.example')
    assert.equal(config.hsts, true)
    assert.equal(config.hashConcurrency, 1)
    assert.equal(read({ PORT: '9000' }).config.publicUrl, 'http://localhost:9000')
  })

  test('names the sender of mail after the shop, unless MAIL_FROM has a name', () => {
    const nameOf = (MAIL_FROM: string) =>
      read({ MAIL_FROM, SHOP_NAME: 'Bean & Leaf' }).config.mailFrom?.name

    assert.equal(nameOf('shop@example.com'), 'Bean & Leaf')
    assert.equal(nameOf('Accounts <shop@example.com>'), 'Accounts')
    assert.equal(read({}).config.mailFrom, undefined)
  })

  test('warns of cheap hashes and of limits that are off', () => {
    const { config } = read({ ARGON2_PASSES: '1', RATE_LIMIT: 'off' })

    assert.deepEqual(
      configWarnings(config).map((warning) => warning.split(/[ =]/)[0]),
      ['ARGON2_MEMORY_KIB', 'RATE_LIMIT'],
    )
  })

  for (const url of ['smtp://127.0.0.1:1025?tls=off', 'sendgrid://key@127.0.0.1?tls=off']) {
    test(`warns of mail that anybody can read: ${url}`, () => {
      const { config } = read({ MAIL_URL: url, MAIL_FROM: 'shop@example.com' })

      assert.match(configWarnings(config).join('\n'), /^MAIL_URL has tls=off/)
    })
  }

  test('tells people to look into their mail, unless it is printed', () => {
    const sending = { MAIL_URL: 'smtp://mail.example', MAIL_FROM: 'shop@example.com' }

    assert.match(read(sending).config.signUpMessage, /Check your email/)
    assert.match(read({}).config.signUpMessage, /Check console/)
  })
})

describe('the key of access tokens', () => {
  const idsOf = (keys: readonly { readonly id: string }[]) => keys.map(({ id }) => id)

  test('is SECRET_KEY where only that is given, which is warned of', () => {
    const { secrets } = read({ SECRET_KEY_PREVIOUS: `${KEY}-previous` })

    assert.deepEqual(idsOf(secrets.tokenKeys.all), idsOf(secrets.keys.all))
    assert.match(
      keyWarnings(secrets).join('\n'),
      /^SECRET_KEY signs access tokens: .*JWT_SECRET_KEY/,
    )
  })

  test('is JWT_SECRET_KEY where that is given, and nothing else is derived from it', () => {
    const { secrets } = read({ JWT_SECRET_KEY: JWT_KEY, SECRET_KEY_PREVIOUS: `${KEY}-previous` })

    assert.deepEqual(secrets.keys, read({ SECRET_KEY_PREVIOUS: `${KEY}-previous` }).secrets.keys)
    assert.deepEqual(secrets.tokenKeys.current.accessToken.export().toString(), JWT_KEY)
    assert.equal(secrets.tokenKeys.all.length, 1)
    assert.deepEqual(keyWarnings(secrets), [])
  })

  for (const name of ['JWT_SECRET_KEY', 'JWT_SECRET_KEY_PREVIOUS']) {
    test(`${name} is refused with an asymmetric ALGORITHM, which does not use it`, () => {
      using file = createKeyFile('EdDSA')

      const problems = problemsOf({ ...BASE, ...file.settings, [name]: JWT_KEY })

      assert.deepEqual(problems, [`${name} is used with ALGORITHM=HS256 only; remove it`])
    })
  }
})

describe('a key of access tokens that is made next to the database', () => {
  const start = (folder: { readonly path: string }, environment: Record<string, string> = {}) =>
    readConfig({ DATABASE_URL: `sqlite:///${folder.path}/app.db`, ...environment }).secrets

  test('is another than the secret key, stays, and is its owner’s alone', () => {
    using folder = temporaryFolder()

    const first = start(folder)
    const second = start(folder)

    assert.deepEqual(second.tokenKeys, first.tokenKeys)
    assert.equal(first.tokenKeys.all.length, 1, 'no token of the secret key can exist')
    assert.notEqual(first.tokenKeys.current.id, first.keys.current.id)
    assert.equal(statSync(join(folder.path, 'jwt-secret.key')).mode & 0o777, 0o600)
  })

  test('accepts tokens of the secret key for an hour after an upgrade', () => {
    using folder = temporaryFolder()
    const before = start(folder, { JWT_SECRET_KEY: JWT_KEY })
    const aDayAgo = new Date(Date.now() - 24 * 3600 * 1000)
    utimesSync(join(folder.path, 'secret.key'), aDayAgo, aDayAgo)

    const { keys, tokenKeys } = start(folder)

    const madeAtMs = statSync(join(folder.path, 'jwt-secret.key')).mtimeMs
    assert.equal(keys.current.id, before.keys.current.id)
    assert.notEqual(tokenKeys.current.id, keys.current.id)
    assert.deepEqual(tokenKeys.all.slice(1), [
      { ...keys.current, acceptedUntilMs: madeAtMs + 3600 * 1000 },
    ])
  })

  test('signs on while the secret key is rotated', () => {
    using folder = temporaryFolder()
    const before = start(folder)

    const rotated = start(folder, { SECRET_KEY: KEY })

    assert.deepEqual(rotated.tokenKeys, before.tokenKeys)
    assert.deepEqual(keyWarnings(rotated), [])
  })

  test('is not made where SECRET_KEY is given, and with an asymmetric ALGORITHM', () => {
    using folder = temporaryFolder()
    using file = createKeyFile('EdDSA')

    start(folder, { SECRET_KEY: KEY })
    start(folder, file.settings)

    assert.deepEqual(readdirSync(folder.path), ['secret.key'])
  })

  test('is refused if it is the secret key of the file', () => {
    using folder = temporaryFolder()
    start(folder)
    const secret = readFileSync(join(folder.path, 'secret.key'), 'utf8').trim()

    const problems = problemsOf({
      DATABASE_URL: `sqlite:///${folder.path}/app.db`,
      JWT_SECRET_KEY: secret,
    })

    assert.deepEqual(problems, ['JWT_SECRET_KEY is the same as SECRET_KEY; use a different value'])
  })
})

describe('a secret in a file', () => {
  for (const [name, value] of [
    ['DATABASE_URL', 'sqlite:///:memory:'],
    ['SECRET_KEY', `${KEY}-file`],
    ['SECRET_KEY_PREVIOUS', `${KEY}-file`],
    ['JWT_SECRET_KEY', `${KEY}-file`],
    ['JWT_SECRET_KEY_PREVIOUS', `${KEY}-file`],
    ['ADMIN_PASSWORD', 'an admin password in a file'],
    ['MAIL_URL', 'console:'],
    ['SMS_URL', 'console:'],
    ['REDIS_URL', 'redis://localhost'],
  ] as const) {
    const others: Record<string, string> = { ...BASE, ADMIN_EMAIL: ADMIN.ADMIN_EMAIL }
    if (name !== 'ADMIN_PASSWORD') delete others['ADMIN_EMAIL']
    delete others[name]

    test(`${name}_FILE is read without its last line break`, () => {
      using folder = temporaryFolder()
      const file = join(folder.path, 'secret')
      writeFileSync(file, `${value}\r\n`)

      const inFile = readConfig({ ...others, [`${name}_FILE`]: file }).secrets
      const plain = readConfig({ ...others, [name]: value }).secrets

      assert.deepEqual(inFile, plain)
    })

    for (const [why, content, extra, expected] of [
      ['with the setting itself', value, { [name]: value }, /both set/],
      ['that is missing', undefined, {}, /cannot be opened/],
      ['that is a folder', null, {}, /cannot be opened/],
      ['that is not text', Buffer.from([0xff, 0xfe, 0x41]), {}, /UTF-8/],
    ] as const) {
      test(`${name}_FILE ${why} is refused in one line`, () => {
        using folder = temporaryFolder()
        const file = join(folder.path, 'canary')
        if (content === null) mkdirSync(file)
        else if (content !== undefined) writeFileSync(file, content)

        const problems = problemsOf({ ...others, ...extra, [`${name}_FILE`]: file })

        assert.equal(problems.length, 1, problems.join('\n'))
        assert.match(problems[0] ?? '', new RegExp(`^${name} .*${expected.source}`))
        assert.doesNotMatch(problems[0] ?? '', /canary/)
      })
    }
  }

  test('is read without any line break at its end, and keeps those inside', () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'secret')
    writeFileSync(file, `${KEY}\n${KEY}\r\n\n`)

    const { keys } = read({ SECRET_KEY: '', SECRET_KEY_FILE: `${file}\n` }).secrets

    assert.equal(keys.current.id, read({ SECRET_KEY: `${KEY}\n${KEY}` }).secrets.keys.current.id)
  })

  for (const [why, content, expected] of [
    ['is empty', '', 'it is empty'],
    ['is an empty line', '\r\n', 'it is empty'],
    ['never ends', '/dev/zero', 'it is larger than 64 KiB'],
    ['begins with a byte order mark', `\ufeff${KEY}`, 'it begins with a byte order mark; '],
    ['is UTF-16', Buffer.from(`\ufeff${KEY}`, 'utf16le'), 'it is UTF-16; save it as UTF-8'],
    ['is UTF-16 without its mark', Buffer.from(KEY, 'utf16le'), 'it is UTF-16; save it as UTF-8'],
  ] as const) {
    test(`that ${why} is refused with the reason`, () => {
      using folder = temporaryFolder()
      const file = content === '/dev/zero' ? content : join(folder.path, 'secret')
      if (file !== content) writeFileSync(file, content)

      const problem = problemsOf({ ...BASE, SECRET_KEY: '', SECRET_KEY_FILE: file }).join('\n')

      const start =
        'SECRET_KEY cannot be read: the file named by SECRET_KEY_FILE cannot be opened as text: '
      assert.equal(problem.slice(0, start.length + expected.length), start + expected)
    })
  }

  test('is only read for secrets', () => {
    assert.equal(read({ PORT_FILE: '/nowhere' }).config.port, 8000)
  })
})
