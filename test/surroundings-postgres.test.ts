import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { run } from '../server/database/connect.ts'
import { openDatabase } from '../server/database/open.ts'
import { databaseUrl } from '../server/database/url.ts'
import { userById } from '../server/accounts/users.ts'
import { dropDatabase, query } from './support/cluster.ts'
import { DATABASE } from './support/database.ts'
import { runOn } from './support/process.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const SERVER = process.env['TEST_POSTGRES_URL'] ?? ''
const TOKEN = /#token=([\w.-]+)/

/** The same database as others start on it, after the operator has changed its defaults. */
async function startWith(home: Service, defaults: Readonly<Record<string, string>>) {
  const name = new URL(home.databaseUrl).pathname.slice(1)
  for (const [setting, value] of Object.entries(defaults))
    await query(home.databaseUrl, `alter database ${name} set ${setting} to ${value}`)
  return startService({}, { replicaOf: home })
}

/** An empty database as `create database` makes it with these words. */
async function createLike(words: string) {
  const name = `like_${process.pid}_${words.replaceAll(/\W+/g, '_').toLowerCase()}`
  await query(`${SERVER}postgres`, `create database ${name} template template0 ${words}`)
  return {
    databaseUrl: `${SERVER}${name}`,
    [Symbol.asyncDispose]: () => dropDatabase(SERVER, name),
  }
}

if (DATABASE === 'postgres') {
  describe('a database whose defaults are', () => {
    for (const [what, defaults] of [
      ['those of Berlin', { timezone: "'Europe/Berlin'" }],
      ['those of Kathmandu', { timezone: "'Asia/Kathmandu'", datestyle: "'Postgres', 'DMY'" }],
      ['German dates', { datestyle: "'German'" }],
      ['SQL dates', { datestyle: "'SQL', 'DMY'", intervalstyle: "'sql_standard'" }],
      ['another encoding for its clients', { client_encoding: "'LATIN1'" }],
      ['backslashes that escape', { standard_conforming_strings: 'off' }],
      ['serializable transactions', { default_transaction_isolation: "'serializable'" }],
      ['everything short', { extra_float_digits: '-15', bytea_output: "'escape'" }],
    ] as const) {
      test(`${what}: 200 for a sign-up, a reset, a search and what they show`, async () => {
        await using home = await startService()
        await using service = await startWith(home, defaults)
        const admin = await home.addAdmin()

        const user = await service.registerUser('zoe@example.com', PASSWORD, 'Zoë \\ Ångström')
        await service.post('/api/v1/auth/password/forgot', { email: user.email })
        await service.deliverMail()
        const token = TOKEN.exec(service.mailsTo(user.email).at(-1)?.text ?? '')?.[1]
        const reset = await service.post('/api/v1/auth/password/reset', {
          token,
          password: `${PASSWORD} again`,
        })
        const found = await service.get(`/api/v1/users?q=${encodeURIComponent('zoË \\ å')}`, {
          token: admin.access,
        })

        assert.equal(reset.status, 200, reset.text)
        assert.equal(found.body[0].full_name, 'Zoë \\ Ångström')
        assert.equal(found.body[0].created_at, '2026-01-01T12:00:00.000Z')
      })
    }
  })

  test('times beyond four-digit years are the last and the first there are', async () => {
    await using service = await startService()
    const backend = await openDatabase(databaseUrl(service.databaseUrl))
    const texts = [
      'infinity',
      '-infinity',
      '12026-01-01',
      '0044-03-15 BC',
      '2026-01-01 12:00:00.5+02',
    ]
    try {
      const { rows } = await sql<{
        at: string
      }>`select unnest(${texts}::timestamptz[]) as at`.execute(backend.reader)

      const [last, first] = ['9999-12-31T23:59:59.999Z', '0001-01-01T00:00:00.000Z']
      assert.deepEqual(
        rows.map(({ at }) => at),
        [last, first, last, first, '2026-01-01T10:00:00.500Z'],
      )
    } finally {
      await backend.close()
    }
  })

  test('200 for look-ups whose prepared statement is gone, or there already', async () => {
    await using service = await startService({ DATABASE_POOL_SIZE: '1' })
    const ann = await service.addUser()
    const me = () => service.get('/api/v1/me', { token: ann.access })
    await me()
    await service.ctx.transaction((tx) => sql`deallocate all`.execute(tx))

    const lost = await me()
    await using other = await startService({ DATABASE_POOL_SIZE: '1' }, { replicaOf: service })
    await other.ctx.transaction((tx) => sql`prepare session_user_by_id as select 1`.execute(tx))
    const answers = [lost, await me(), await other.get('/api/v1/me', { token: ann.access })]

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
  })

  test('a transaction whose prepared statement is gone runs once more', async () => {
    await using service = await startService({ DATABASE_POOL_SIZE: '1' })
    const { id } = await service.addUser()
    let tries = 0
    const read = () =>
      service.ctx.transaction(async (tx) => {
        tries++
        return run(tx, userById, id)
      })
    await read()
    await service.ctx.transaction((tx) => sql`deallocate all`.execute(tx))

    const rows = [...(await read()), ...(await read())]

    assert.deepEqual([rows.map((user) => user.id), tries], [[id, id], 4])
  })

  test('variables of libpq change nothing', async () => {
    await using service = await startService()
    const settings = {
      PGHOST: '192.0.2.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGPASSWORD: 'nothing',
      PGDATABASE: 'nowhere',
      PGSSLMODE: 'verify-full',
      PGSSLNEGOTIATION: 'direct',
      PGOPTIONS: '-c search_path=nowhere',
      PGAPPNAME: 'nobody',
    }

    const doctor = await runOn(service, ['doctor'], { settings, input: '' })
    const url = new URL(service.databaseUrl)
    url.password = ''
    const noPassword = await runOn({ databaseUrl: url.href }, ['doctor'], { settings, input: '' })

    assert.equal(doctor.exitCode, 0, doctor.stdout)
    assert.match(noPassword.stdout, /^FAIL DATABASE_URL: the server rejected the user or password/m)
  })

  describe('a database of another encoding', () => {
    for (const encoding of ['SQL_ASCII', 'LATIN1', 'EUC_JP']) {
      test(`${encoding}: refused by start and doctor in one sentence that says how to mend it`, async () => {
        await using database = await createLike(
          `encoding '${encoding}' locale_provider libc locale 'C'`,
        )

        const started = await runOn(database, [], { settings: { PORT: '0' }, input: '' })
        const doctor = await runOn(database, ['doctor'])

        const words = `DATABASE_URL: the encoding of the database is ${encoding}, and must be UTF8: `
        assert.equal(started.exitCode, 1)
        assert.match(
          started.stderr,
          new RegExp(`^Cannot start:\n {2}${words}.*createdb --encoding=UTF8 .*\n$`),
        )
        assert.equal(doctor.exitCode, 1)
        assert.match(doctor.stdout, new RegExp(`^FAIL ${words}`, 'm'))
        const [left] = await query(
          database.databaseUrl,
          'select count(*)::int from pg_tables where schemaname = current_schema()',
        )
        assert.equal(left.count, 0)
      })
    }
  })

  test('the C locale: a warning by doctor that says how to mend it', async () => {
    await using database = await createLike("encoding 'UTF8' locale_provider libc locale 'C'")

    const { stdout } = await runOn(database, ['doctor'])

    assert.match(stdout, /^warn DATABASE_URL: .* case of ASCII letters only .*--locale=C.UTF-8/m)
  })
}
