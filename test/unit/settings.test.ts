import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SETTINGS } from '../../server/settings/settings.ts'
import { ADMIN, BASE, KEY, problemsOf } from '../support/settings.ts'

const TWILIO = `twilio://AC${'0'.repeat(32)}`

/** For each setting: texts that are accepted, and texts that are refused. */
const CASES: Record<keyof typeof SETTINGS, { good: string[]; bad: string[] }> = {
  HOST: { good: ['0.0.0.0', '::1', 'localhost'], bad: [] },
  PORT: { good: ['0', '8000', '65535'], bad: ['65536', '-1', '8e3', '80.0', ' 80', '0x50', '٨٠'] },
  SHUTDOWN_DELAY_SECONDS: { good: ['0', '5', '300'], bad: ['301', '-1', '5s', '0.5'] },
  KEEP_ALIVE_SECONDS: { good: ['1', '620', '3600'], bad: ['0', '3601', '-1', '75s'] },
  DATABASE_URL: {
    good: ['sqlite:///data/app.db', 'postgresql://u:p@db/shop'],
    bad: [
      'canary',
      'sqlite://app.db',
      'sqlite:///',
      'mysql://u:canary@db/shop',
      'postgresql://',
      'postgresql://u:canary@db:port/shop',
    ],
  },
  DATABASE_POOL_SIZE: { good: ['1', '1000'], bad: ['0', '1001', 'many'] },
  MIGRATE: { good: ['on', 'off', 'true', 'false'], bad: ['yes', '1', 'ON'] },
  SECRET_KEY: {
    good: [KEY, `${KEY}${KEY}`],
    bad: [
      'canary-canary-canary-canary-can',
      'your-secret-key',
      'your-secret-key-canary-change-in-production',
      'YOUR_SUPER_SECRET_KEY_CANARY_0123456789',
      'change-me-canary-0123456789-abcdefghij',
      'changeme-canary-0123456789-abcdefghijk',
      '\0'.repeat(32),
      'a'.repeat(64),
      'undefined',
      'null',
      '0123456789abcdef0123456789abcdef',
      'mysecretkeymysecretkeymysecretkey',
    ],
  },
  // A key that is refused today may be the one that is replaced.
  SECRET_KEY_PREVIOUS: {
    good: [`${KEY}-previous`, '0123456789abcdef'.repeat(2)],
    bad: ['canary', 'a'.repeat(64)],
  },
  JWT_SECRET_KEY: {
    good: [`${KEY}-jwt`],
    bad: ['canary', 'a'.repeat(64), KEY, 'mysecretkeymysecretkeymysecretkey'],
  },
  JWT_SECRET_KEY_PREVIOUS: { good: [KEY, `${KEY}-previous`], bad: ['canary', 'a'.repeat(64)] },
  ALGORITHM: { good: ['HS256'], bad: ['none', 'hs256', 'HS512', 'PS256', 'Ed25519'] },
  JWT_PRIVATE_KEY_FILE: { good: [], bad: [] },
  JWT_AUDIENCE: { good: ['shop'], bad: [] },
  ACCESS_TOKEN_EXPIRE_MINUTES: { good: ['1', '60'], bad: ['0', '61', '30m', '1.5', 'Infinity'] },
  REFRESH_TOKEN_EXPIRE_DAYS: { good: ['1', '30'], bad: ['0', '366', '-7', 'week'] },
  SESSION_MAX_DAYS: { good: ['7', '365'], bad: ['0', '366', '1e1'] },
  REFRESH_GRACE_SECONDS: { good: ['0', '300'], bad: ['301', '-1'] },
  REAUTHENTICATION_MINUTES: { good: ['0', '10', '1440'], bad: ['1441', '-1'] },
  VERIFICATION_CODE_EXPIRE_HOURS: { good: ['1', '168'], bad: ['0', '169'] },
  UNVERIFIED_USER_TTL_HOURS: { good: ['1', '8760'], bad: ['0', '8761'] },
  PASSWORD_MIN_LENGTH: { good: ['8', '64'], bad: ['7', '65'] },
  PWNED_PASSWORDS_URL: {
    good: [
      'https://api.pwnedpasswords.com/range/',
      'https://hashes.example',
      'http://127.0.0.1:8080/range',
      'http://[::1]/',
      'http://localhost/',
    ],
    bad: [
      'canary',
      'http://api.pwnedpasswords.com/range/',
      'http://127.0.0.1.canary.example/',
      'http://localhost.canary.example/',
      'ftp://127.0.0.1/',
      'https://canary@hashes.example/',
      'https://hashes.example/?canary=',
      'https://hashes.example/#canary',
    ],
  },
  ARGON2_MEMORY_KIB: { good: ['8', '65536'], bad: ['7', '4194305', '19 MiB'] },
  ARGON2_PASSES: { good: ['1', '64'], bad: ['0', '65'] },
  HASH_CONCURRENCY: { good: ['1', '1024'], bad: ['0', '1025'] },
  PROCESSES: { good: ['1', 'auto'], bad: ['0', '257', '-1', '1.5', 'canary', 'Auto'] },
  HASH_QUEUE: { good: ['0', '100000'], bad: ['-1', '100001'] },
  ADMIN_EMAIL: { good: [], bad: ['boss', 'boss@localhost', 'boss@example.com, x@example.com'] },
  ADMIN_PASSWORD: { good: [], bad: [] },
  MAIL_URL: {
    good: [
      'console:',
      'smtp://mail.example',
      'smtp://ann:p%2Fw@mail.example:587/',
      'smtp://127.0.0.1:1025?tls=off',
      'smtp://[::1]:1025?tls=off',
      'smtps://ann:pw@mail.example',
      'sendgrid://SG.key_-0@api.sendgrid.com',
    ],
    bad: [
      'console',
      'canary',
      'mail.example',
      'http://canary@mail.example',
      'smtp:',
      'smtp://',
      'smtp://ann:canary@',
      'smtp://ann:canary/1@mail.example',
      'smtp://ann:canary#1@mail.example',
      'smtp://ann:canary?1@mail.example',
      'smtp://ann:canary%@mail.example',
      'smtp://canary@mail.example',
      'smtp://:canary@mail.example',
      'smtp://ann:canary@mail.example:0',
      'smtp://ann:canary@mail.example:99999',
      'smtp://ann:canary@mail.example/path',
      'smtp://ann:canary@mail_example',
      'smtp://ann:canary@mail.example?tls=on',
      'smtp://ann:canary@mail.example?tls=off&tls=off',
      'smtps://ann:canary@mail.example?tls=off',
      'sendgrid://api.sendgrid.com',
      'sendgrid://canary:pw@api.sendgrid.com',
      'sendgrid://canary%0d%0a@api.sendgrid.com',
    ],
  },
  MAIL_MAX_PER_HOUR: { good: ['1', '1000000'], bad: ['0', '1000001', 'canary'] },
  MAIL_FROM: {
    good: ['shop@example.com', 'Coffee Shop <shop@example.com>', '"Shop, Inc." <a@shop.example>'],
    bad: [
      'canary',
      'canary@localhost',
      'Canary <canary>',
      'Canary shop@example.com',
      'canary@example.com, eve@example.com',
      'Canary <a@example.com> <b@example.com>',
      'Canary\r\nBcc: eve@example.com <shop@example.com>',
    ],
  },
  SMS_URL: {
    good: [`${TWILIO}:canary@api.twilio.com?from=+15550100200`, 'console:'],
    bad: [
      'console',
      'twilio',
      'https://canary@api.twilio.com?from=+15550100200',
      'twilio://ann:canary@api.twilio.com?from=+15550100200',
      `${TWILIO}%2F..:canary@api.twilio.com?from=+15550100200`,
      `${TWILIO}@canary.example?from=+15550100200`,
      `${TWILIO}:canary%zz@api.twilio.com?from=+15550100200`,
      `${TWILIO}:canary@?from=+15550100200`,
      `${TWILIO}:canary@api.twilio.com`,
      `${TWILIO}:canary@api.twilio.com?from=+0555`,
      `${TWILIO}:canary@api.twilio.com?from=CoffeeShopXY`,
      `${TWILIO}:canary@api.twilio.com?from=+15550100200&from=+15550100200`,
      `${TWILIO}:canary@api.twilio.com/2010?from=+15550100200`,
      `${TWILIO}:canary@api.twilio.com?from=+15550100200#canary`,
      `${TWILIO}:canary@api.twilio.com?from=+15550100200&tsl=off`,
      `${TWILIO}:canary@api.twilio.com?from=+15550100200&tls=no`,
    ],
  },
  WORKER: { good: ['inline', 'separate'], bad: ['on', 'Inline', 'inline,separate'] },
  PUBLIC_URL: {
    good: ['http://localhost:8000', 'https://shop.example/accounts/'],
    bad: [
      'shop.example',
      'ftp://shop.example',
      'https://ann:canary@shop.example',
      'https://shop.example/?a=1',
      'https://shop.example/#a',
    ],
  },
  SHOP_NAME: {
    good: ['Bean & Leaf', 'Café Zürich', '<b>&"', 'x'.repeat(40), '☕'.repeat(40)],
    bad: [
      ' ',
      'x'.repeat(41),
      'Canary\r\nBcc: eve@example.com',
      'canary\u202e',
      'canary\u2028shop',
    ],
  },
  SHOP_URL: {
    good: ['https://shop.example', 'http://localhost:3000/shop/'],
    bad: [
      'canary',
      'javascript:alert(1)',
      'https://ann:canary@shop.example',
      'https://shop.example/?a=1',
    ],
  },
  CORS_ORIGINS: {
    good: [
      'https://shop.example',
      'https://a.example, http://localhost:3000',
      'capacitor://localhost',
      'ionic://localhost, tauri://localhost, http://tauri.localhost',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'moz-extension://0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10',
      'http://[::1]:3000',
    ],
    bad: [
      '*',
      'https://*.shop.example',
      'https://shop.example, *',
      'null',
      'https://shop.example/app',
      'https://shop.example:443',
      'https://shop.example?canary',
      'https://canary:canary@shop.example',
      'shop.example',
      'https://shop.example/',
      'https://SHOP.example',
      'capacitor://localhost/',
      'file://',
      'file:///index.html',
      'data:text/html,canary',
    ],
  },
  TRUSTED_PROXIES: {
    good: ['10.0.0.0/8', '10.0.0.1/32, fd00::/8'],
    bad: [
      'true',
      '1',
      'loopback',
      '10.0.0.1',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      'fd00::/129',
      '10.0.0.0/8, proxy',
      '0.0.0.0/0',
      '::/0',
    ],
  },
  HSTS: { good: ['on', 'off'], bad: ['max-age=1'] },
  RATE_LIMIT: { good: ['on', 'off'], bad: ['0'] },
  RATE_LIMIT_SCALE: {
    good: ['0.1', '1', '2.5', '1000'],
    bad: ['0', '0.05', '1001', '-1', '1e2', '1,5', '.5', 'off'],
  },
  DOCS: { good: ['on', 'off'], bad: ['0'] },
  SMS_MAX_PER_HOUR: { good: ['1', '1000000'], bad: ['0', '1000001', 'canary'] },
  REDIS_URL: {
    good: ['redis://localhost', 'redis://127.0.0.1:6379/2', 'rediss://user:p%40ss@host:6380/0'],
    bad: [
      'canary',
      'localhost:6379',
      'http://canary',
      'redis://',
      'redis://canary?db=1',
      'redis://canary#1',
      'redis://:%zz@canary',
    ],
  },
  METRICS_HOST: { good: ['0.0.0.0', '::1', 'localhost'], bad: [] },
  METRICS_PORT: { good: ['0', '9464', '65535'], bad: ['65536', '-1', 'canary'] },
  HIDE_REGISTERED_EMAILS: { good: ['true', 'off'], bad: ['maybe'] },
  CLEANUP_SCHEDULE: {
    good: ['0 0 * * *', '*/5 * * * *', '30 0 4 * * MON', '@daily', '0 0 29 2 *'],
    bad: ['nonsense', '0 0 * *', '0 0 30 2 *', '60 * * * *', '* * * * * * *', '0 0 canary * *'],
  },
  AUDIT_KEEP_DAYS: { good: ['1', '3650'], bad: ['0', '3651', '1.5', 'all'] },
  LOG_LEVEL: { good: ['trace', 'silent'], bad: ['INFO', 'verbose'] },
  LOG_FORMAT: { good: ['pretty', 'json'], bad: ['text'] },
}

for (const [name, { good, bad }] of Object.entries(CASES)) {
  describe(name, () => {
    const sender = name === 'MAIL_URL' ? { MAIL_FROM: 'shop@example.com' } : {}
    for (const value of good) {
      test(`accepts ${value}`, () =>
        assert.deepEqual(problemsOf({ ...BASE, ...sender, [name]: value }), []))
    }
    for (const value of bad) {
      test(`refuses ${JSON.stringify(value)} in one line that names it and does not repeat it`, () => {
        const environment = { ...BASE, ...(name.startsWith('ADMIN') ? ADMIN : {}), [name]: value }

        const problems = problemsOf(environment)

        assert.equal(problems.length, 1, problems.join('\n'))
        assert.match(problems[0] ?? '', new RegExp(`^${name} [a-z]`))
        assert.doesNotMatch(problems[0] ?? '', /canary/i)
      })
    }
    test('counts as absent when empty', () => {
      const empty = { [name]: '', [`${name}_FILE`]: '' }
      assert.deepEqual(problemsOf({ DATABASE_URL: BASE.DATABASE_URL, ...empty }), [])
    })
  })
}

describe('CORS_ORIGINS', () => {
  for (const [value, reason] of [
    ['https://shop.example/', 'write https://shop.example, '],
    ['https://Shop.example:443/app?x', 'write https://shop.example, '],
    ['capacitor://localhost/', 'write capacitor://localhost, '],
    ['https://bücher.example', 'write https://xn--bcher-kva.example, '],
    ['https://a.example, *', '* is refused, because '],
    ['https://*.shop.example', '* is refused, because '],
    ['null', 'null is refused, because '],
    ['file://', 'null is refused, because '],
    ['localhost:3000', 'write each like https://shop.example or '],
  ] as const) {
    test(`says about ${value}: ${reason}…`, () => {
      const [problem = ''] = problemsOf({ ...BASE, CORS_ORIGINS: value })
      assert.ok(problem.startsWith(`CORS_ORIGINS must list exact origins: ${reason}`), problem)
    })
  }
})

describe('DATABASE_URL', () => {
  for (const [value, expected] of [
    ['sqlite:///data/app.db', { kind: 'sqlite', path: 'data/app.db' }],
    ['sqlite:////srv/app.db', { kind: 'sqlite', path: '/srv/app.db' }],
    ['sqlite+aiosqlite:///data/app.db', { kind: 'sqlite', path: 'data/app.db' }],
    ['sqlite:///:memory:', { kind: 'sqlite' }],
    ['sqlite+aiosqlite:///:memory:', { kind: 'sqlite' }],
    [
      'postgresql://u:p%40@db:5432/shop',
      { kind: 'postgres', url: 'postgresql://u:p%40@db:5432/shop' },
    ],
    ['postgres://u:p@db/shop', { kind: 'postgres', url: 'postgresql://u:p@db/shop' }],
    ['postgresql+asyncpg://u:p@db/shop', { kind: 'postgres', url: 'postgresql://u:p@db/shop' }],
    [
      'postgresql+asyncpg://u:p@db/shop?ssl=require',
      { kind: 'postgres', url: 'postgresql://u:p@db/shop?sslmode=require' },
    ],
  ] as const) {
    test(`${value} means what it meant to SQLAlchemy`, () => {
      assert.deepEqual(SETTINGS.DATABASE_URL.parse(value), expected)
    })
  }
})
