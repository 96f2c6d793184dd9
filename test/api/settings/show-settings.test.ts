import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import type { Finding } from '../../../server/accounts/findings.ts'
import { NO_TRIGRAMS } from '../../../server/accounts/search-indexes.ts'
import type { Context } from '../../../server/context.ts'
import { AppError } from '../../../server/errors.ts'
import { SECOND_MS, toIso } from '../../../server/lib/units.ts'
import { type Setting, SETTINGS } from '../../../server/settings/settings.ts'
import { type Service, startService } from '../../support/service.ts'
import { createKeyFile } from '../../support/signing-keys.ts'

const CANARY = 'canary-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'

async function ask(service: Service) {
  const { access: token } = await service.addAdmin()
  const answer = await service.get('/api/v1/settings', { token })
  assert.equal(answer.status, 200)
  return answer
}
async function settingOf(service: Service, name: string) {
  const { body } = await ask(service)
  const found = body.settings.find((setting: { name: string }) => setting.name === name)
  assert.ok(found, name)
  const { description: _, unit: __, ...rest } = found
  return rest
}

describe('GET /settings', () => {
  test('200 shows every setting with what is in force, its default and its unit', async () => {
    await using service = await startService({
      SESSION_MAX_DAYS: '14',
      CORS_ORIGINS: 'https://a.example, https://b.example',
      PUBLIC_URL: 'https://shop.example/',
    })

    const { body } = await ask(service)

    assert.deepEqual(
      body.settings.map(({ name }: { name: string }) => name),
      Object.keys(SETTINGS),
    )
    assert.deepEqual(
      body.settings.find(({ name }: { name: string }) => name === 'SESSION_MAX_DAYS'),
      {
        name: 'SESSION_MAX_DAYS',
        value: '14',
        is_set: true,
        is_hidden: false,
        default: '30',
        unit: 'days',
        description: 'The absolute lifetime of a session.',
      },
    )
    const valueOf = (name: string) =>
      body.settings.find((setting: { name: string }) => setting.name === name).value
    assert.equal(valueOf('CORS_ORIGINS'), 'https://a.example, https://b.example')
    // What follows from others.
    assert.deepEqual(
      [valueOf('PUBLIC_URL'), valueOf('HSTS'), valueOf('HASH_CONCURRENCY'), valueOf('PROCESSES')],
      ['https://shop.example', 'on', '2', '1'],
    )
    assert.doesNotMatch(JSON.stringify(body), /\]\(/)
  })

  test('200 shows the default where nothing is set, and nothing where there is none', async () => {
    await using service = await startService()

    assert.deepEqual(await settingOf(service, 'DOCS'), {
      name: 'DOCS',
      value: 'on',
      is_set: false,
      is_hidden: false,
      default: 'on',
    })
    const url = await settingOf(service, 'SHOP_URL')
    assert.deepEqual([url.value, url.is_set, url.default], [null, false, null])
  })

  for (const [name, settings] of [
    ['SECRET_KEY', { SECRET_KEY: CANARY }],
    ['SECRET_KEY_PREVIOUS', { SECRET_KEY_PREVIOUS: CANARY }],
    ['JWT_SECRET_KEY', { JWT_SECRET_KEY: CANARY }],
    ['JWT_SECRET_KEY_PREVIOUS', { JWT_SECRET_KEY_PREVIOUS: CANARY }],
    ['ADMIN_PASSWORD', { ADMIN_EMAIL: 'boss@example.com', ADMIN_PASSWORD: CANARY }],
    ['MAIL_URL', { MAIL_URL: `smtp://${CANARY}:${CANARY}@${CANARY}.example` }],
    ['MAIL_URL', { MAIL_URL: `sendgrid://${CANARY}@api.sendgrid.com` }],
    ['SMS_URL', { SMS_URL: `twilio://AC${'0'.repeat(32)}:${CANARY}@api.twilio.com?from=Shop` }],
    ['REDIS_URL', { REDIS_URL: `redis://${CANARY}:${CANARY}@127.0.0.1:1` }],
    [
      'ADMIN_EMAIL',
      { ADMIN_EMAIL: `${CANARY}@example.com`, ADMIN_PASSWORD: 'a long password, it is' },
    ],
    ['PWNED_PASSWORDS_URL', { PWNED_PASSWORDS_URL: `https://pwned.example/${CANARY}/` }],
  ] as [keyof typeof SETTINGS, Record<string, string>][]) {
    test(`200 says that ${name} is set, not what it is: ${Object.values(settings)[0]?.slice(0, 8)}`, async () => {
      await using service = await startService({ MAIL_FROM: 'shop@example.com', ...settings })

      const { text } = await ask(service)

      const { value, is_set, is_hidden } = await settingOf(service, name)
      assert.deepEqual([value, is_set, is_hidden], [null, true, true])
      assert.doesNotMatch(text, new RegExp(CANARY, 'i'))
    })
  }

  test('200 shows neither the path of a file nor where the database is', async () => {
    using file = createKeyFile('EdDSA')
    const previous = join(file.folder, 'canary')
    writeFileSync(previous, CANARY)
    const settings = { ...file.settings, SECRET_KEY_PREVIOUS_FILE: previous }
    await using service = await startService(settings)

    const { text } = await ask(service)

    assert.equal((await settingOf(service, 'JWT_PRIVATE_KEY_FILE')).is_set, true)
    assert.equal((await settingOf(service, 'SECRET_KEY_PREVIOUS')).is_set, true)
    const { pathname } = new URL(service.databaseUrl)
    for (const secret of [file.folder, CANARY, 'canary', pathname.slice(1)])
      assert.ok(secret.length > 5 && !text.includes(secret), secret)
  })

  test('shows the text of these settings, and hides that of any new one', () => {
    const withShownText = Object.entries<Setting<unknown>>(SETTINGS)
      .filter(([, { parse, shown }]) => shown && parse.allowed === undefined)
      .map(([name]) => name)

    assert.deepEqual(withShownText, [
      'HOST',
      'JWT_AUDIENCE',
      'CLEANUP_SCHEDULE',
      'MAIL_FROM',
      'PUBLIC_URL',
      'SHOP_NAME',
      'SHOP_URL',
      'CORS_ORIGINS',
      'TRUSTED_PROXIES',
      'METRICS_HOST',
    ])
  })
})

describe('the findings of GET /settings', () => {
  const ok = (detail: string) => ({ severity: 'ok', detail })
  const WELL = { ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2', JWT_SECRET_KEY: `${CANARY}-jwt` }

  /** A service whose clock is that of its database. */
  async function startWell(settings: Record<string, string> = {}) {
    const service = await startService({ ...WELL, ...settings })
    Object.assign(service.ctx, { checkDatabase: async () => service.ctx.now() })
    return service
  }
  async function findingsOf(service: Service) {
    const { body } = await ask(service)
    // PostgreSQL may lack the extension.
    return body.findings.filter(({ detail }: Finding) => detail !== NO_TRIGRAMS)
  }
  const problemsOf = async (service: Service) =>
    (await findingsOf(service)).filter(({ severity }: Finding) => severity !== 'ok')

  test('are all ok where all is well', async () => {
    await using service = await startWell()

    const findings = await findingsOf(service)

    const clock = 'clock, 0 ms off the database clock'
    const details = ['settings', clock, 'migrations', 'ids', 'keys', 'an active admin']
    assert.deepEqual(findings, details.map(ok))
  })

  test('warn of settings, as the start does', async () => {
    await using service = await startWell({ RATE_LIMIT: 'off', ARGON2_PASSES: '1' })

    const details = (await problemsOf(service)).map(({ severity, detail }: Finding) => [
      severity,
      detail.split(/[ :=]/, 1)[0],
    ])

    assert.deepEqual(details, [
      ['warning', 'ARGON2_MEMORY_KIB'],
      ['warning', 'RATE_LIMIT'],
    ])
  })

  for (const [what, severity, detail, spoil] of [
    [
      'a clock that differs',
      'error',
      /^clock, 6000 ms off .*; synchronise the clocks/,
      async ({ ctx }) => {
        const behindMs = ctx.now() - 6 * SECOND_MS
        Object.assign(ctx, { checkDatabase: async () => behindMs })
      },
    ],
    [
      'a newer version',
      'warning',
      /^a newer version has migrated the database: 9999-newer$/,
      ({ ctx }) => addMigration(ctx, null),
    ],
    [
      'a newer version that this one cannot work with',
      'error',
      /9999-newer.*start the newer version/,
      ({ ctx }) => addMigration(ctx, '9998-newer'),
    ],
    [
      'another key in use',
      'error',
      /^SECRET_KEY differs from the key that was last in use/,
      ({ ctx }) =>
        ctx.transaction(async (tx) => {
          const key = { purpose: 'secret' as const, key_id: 'another', former_key_id: null }
          const row = { ...key, seen_at: toIso(ctx.now()) }
          await tx.insertInto('keys_in_use').values(row).execute()
        }),
    ],
    [
      'a database that is late, and the rest of what was found',
      'error',
      /^the database did not answer in time/,
      async ({ ctx }) => {
        const late = new AppError('database_unavailable')
        Object.assign(ctx, { checkDatabase: () => Promise.reject(late) })
      },
    ],
    [
      'a check that fails, without its reason',
      'error',
      /^not everything could be looked at; the log has the reason$/,
      async ({ ctx }) => {
        const bug = new Error(CANARY)
        Object.assign(ctx, { checkDatabase: () => Promise.reject(bug) })
      },
    ],
  ] as [string, string, RegExp, (service: Service) => Promise<unknown>][]) {
    test(`${severity} for ${what}`, async () => {
      await using service = await startWell()
      await spoil(service)

      const problems = await problemsOf(service)
      const { text } = await ask(service)

      assert.equal(problems.length, 1, JSON.stringify(problems))
      assert.equal(problems[0].severity, severity)
      assert.match(problems[0].detail, detail)
      assert.doesNotMatch(text, new RegExp(CANARY))
      assert.match(text, /an active admin/)
    })
  }

  test('error for a Redis that cannot be used, without its URL', async () => {
    await using service = await startWell({ REDIS_URL: `redis://ann:${CANARY}@127.0.0.1:1` })

    const [problem] = await problemsOf(service)

    assert.equal(problem.severity, 'error')
    assert.match(problem.detail, /^REDIS_URL names a server that cannot be used/)
  })
})

const addMigration = ({ transaction }: Context, needs: string | null) =>
  transaction((tx) =>
    sql`insert into coffee_shop_migrations (name, needs) values ('9999-newer', ${needs})`.execute(
      tx,
    ),
  )
