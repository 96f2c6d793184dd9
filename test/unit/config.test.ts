import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { configWarnings, readConfig } from '../../server/settings/config.ts'
import { temporaryFolder } from '../support/process.ts'
import { ADMIN, BASE, KEY, problemsOf } from '../support/settings.ts'

const read = (environment: Record<string, string>) => readConfig({ ...BASE, ...environment })

describe('a start', () => {
  test('needs no setting at all, and then has the documented defaults', () => {
    using folder = temporaryFolder()
    const before = process.cwd()
    process.chdir(folder.path)
    try {
      const { config, secrets } = readConfig({})

      assert.deepEqual(secrets.databaseUrl, { kind: 'sqlite', path: 'data/app.db' })
      assert.deepEqual(readdirSync('data'), ['secret.key'])
      assert.equal(config.host, '127.0.0.1')
      assert.equal(config.port, 8000)
      assert.equal(config.publicUrl, 'http://localhost:8000')
      assert.equal(config.accessTokenLifetimeMs, 30 * 60 * 1000)
      assert.equal(config.sessionIdleLifetimeMs, 7 * 24 * 3600 * 1000)
      assert.deepEqual(config.argon2, { memoryKib: 19456, passes: 2 })
      assert.deepEqual(config.trustedProxies, [])
      assert.equal(config.hsts, false)
      assert.deepEqual(configWarnings(config), [])
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

describe('a secret in a file', () => {
  for (const [name, value] of [
    ['DATABASE_URL', 'sqlite:///:memory:'],
    ['SECRET_KEY', `${KEY}-file`],
    ['SECRET_KEY_PREVIOUS', `${KEY}-file`],
    ['ADMIN_PASSWORD', 'an admin password in a file'],
    ['MAIL_URL', 'console:'],
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

  test('counts as absent when it is empty', () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'secret')
    writeFileSync(file, '\n')

    const problems = problemsOf({ DATABASE_URL: 'postgresql://db/shop', SECRET_KEY_FILE: file })

    assert.match(problems.join('\n'), /^SECRET_KEY is required/)
  })

  test('is only read for secrets', () => {
    assert.equal(read({ PORT_FILE: '/nowhere' }).config.port, 8000)
  })
})
