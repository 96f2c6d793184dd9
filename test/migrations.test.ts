import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import type { Backend } from '../server/database/connect.ts'
import { compareSchema, migrate } from '../server/database/migrate.ts'
import { up as initial } from '../server/database/migrations/0001-initial.ts'
import { up as mailAndJobs } from '../server/database/migrations/0002-mail-and-jobs.ts'
import { up as accountLife } from '../server/database/migrations/0003-account-life.ts'
import { up as oneRowAJob } from '../server/database/migrations/0004-one-row-a-job.ts'
import { up as erasures } from '../server/database/migrations/0005-erasures.ts'
import { up as reauthentication } from '../server/database/migrations/0006-reauthentication.ts'
import { up as keysInUse } from '../server/database/migrations/0007-keys-in-use.ts'
import { up as turns } from '../server/database/migrations/0008-turns.ts'
import { up as loginUnlocks } from '../server/database/migrations/0009-login-unlocks.ts'
import { up as invitations } from '../server/database/migrations/0017-invitations.ts'
import { openDatabase } from '../server/database/open.ts'
import { SchemaError } from '../server/database/problems.ts'
import { databaseUrl } from '../server/database/url.ts'
import { createTestDatabase, DATABASE } from './support/database.ts'
import { times } from './support/races.ts'
import { MIGRATIONS, TABLES } from './support/schema.ts'
import { runCommand } from './support/server-process.ts'

const FUTURE = '9999-from-the-future'

/** A database that no migration has seen, with as many handles as a test asks for. */
async function emptyDatabase() {
  const database = await createTestDatabase({ migrated: false })
  const url = databaseUrl(database.url)
  const opened: Backend[] = []
  return {
    env: { DATABASE_URL: database.url },
    async open(): Promise<Backend> {
      const backend = await openDatabase(url)
      opened.push(backend)
      return backend
    },
    migrate: (backend: Backend) => migrate(url, backend),
    async [Symbol.asyncDispose]() {
      for (const backend of opened) await backend.close()
      await database.drop()
    },
  }
}

const execute = (backend: Backend, statement: string) => sql.raw(statement).execute(backend.writer)

/** Which of our tables there are. */
async function tablesIn(backend: Backend): Promise<string[]> {
  const tables = await backend.writer.introspection.getTables()
  return tables
    .map((table) => table.name)
    .filter((name) => TABLES.includes(name))
    .toSorted()
}

/** As a newer version would; `needs` is the migration that a process must know to go on beside it. */
const addFutureMigration = (backend: Backend, needs: string) =>
  execute(
    backend,
    `insert into coffee_shop_migrations (name, needs) values ('${FUTURE}', '${needs}')`,
  )

/** As the version left it that recorded its migrations in `schema_migrations`. */
async function migrateAsBefore(backend: Backend): Promise<void> {
  const { writer, dialect } = backend
  const ups = [initial, mailAndJobs, accountLife, oneRowAJob, erasures]
  for (const up of [...ups, reauthentication, keysInUse, turns, loginUnlocks])
    await up(writer, dialect)
  await execute(
    backend,
    `create table schema_migrations (
      name varchar(255) not null primary key, timestamp varchar(255) not null)`,
  )
  for (const name of MIGRATIONS.slice(0, 9))
    await execute(
      backend,
      `insert into schema_migrations values ('${name}', '2026-01-01T00:00:00.000Z')`,
    )
}

const pendingOf = async ({ reader }: Backend) => (await compareSchema(reader)).pending

describe('migrate()', () => {
  test('applies everything to an empty database, and nothing the second time', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()

    const pending = await pendingOf(backend)
    const first = await database.migrate(backend)
    const second = await database.migrate(backend)

    assert.deepEqual([pending, first, second], [MIGRATIONS, MIGRATIONS, []])
    assert.deepEqual(await pendingOf(backend), [])
    assert.deepEqual(await tablesIn(backend), TABLES)
  })

  test('applies each migration once when five handles migrate at once', async () => {
    await using database = await emptyDatabase()
    const backends = await Promise.all(times(5).map(() => database.open()))

    const applied = await Promise.all(backends.map((backend) => database.migrate(backend)))

    assert.deepEqual(applied.flat(), MIGRATIONS)
  })

  test('leaves nothing half applied when a migration fails in its middle', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    // `sessions` is made after `users` and `sign_ups`, and is in the way.
    await execute(backend, 'create table sessions (id integer)')

    await assert.rejects(database.migrate(backend), /sessions/)
    const left = await tablesIn(backend)
    const pending = await pendingOf(backend)
    await execute(backend, 'drop table sessions')

    assert.deepEqual(left, ['sessions'])
    assert.deepEqual(pending, MIGRATIONS)
    assert.deepEqual(await database.migrate(backend), MIGRATIONS)
    assert.deepEqual(await tablesIn(backend), TABLES)
  })

  test('takes the device and the network of open sessions from their last use', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await initial(backend.writer, backend.dialect)
    await mailAndJobs(backend.writer, backend.dialect)
    const at = '2026-01-01T12:00:00.000Z'
    await execute(
      backend,
      `insert into users (email, email_canonical, role, created_at, updated_at)
      values ('a@b.example', 'a@b.example', 'user', '${at}', '${at}')`,
    )
    for (const [id, device, ip] of [
      ['1', "'Firefox'", "'192.0.2.1'"],
      ['2', 'null', "'2001:db8::1'"],
      ['3', "'curl'", 'null'],
    ])
      await execute(
        backend,
        `insert into sessions
        (id, user_id, generation, created_at, expires_at, ends_at, last_seen_at, user_agent, ip)
        select '${id}', id, 0, '${at}', '${at}', '${at}', '${at}', ${device}, ${ip} from users`,
      )

    await accountLife(backend.writer, backend.dialect)

    const sessions = await backend.writer
      .selectFrom('sessions')
      .select(['login_user_agent', 'login_network'])
      .orderBy('id')
      .execute()
    assert.deepEqual(
      sessions.map((session) => [session.login_user_agent, session.login_network]),
      [
        ['Firefox', '192.0.2.1'],
        [null, null],
        ['curl', null],
      ],
    )
  })

  test('keeps the newest slot of each job that was done, and leaves the old table as it was', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    for (const up of [initial, mailAndJobs, accountLife]) await up(backend.writer, backend.dialect)
    const run = (name: string, day: number, finished: boolean, counts: string) => `(
      '${name}', '2026-01-0${day}T00:00:00.000Z', ${finished ? 'null' : "'a process'"},
      '2026-01-09T00:00:00.000Z', ${finished ? "'2026-01-09T00:00:00.000Z'" : 'null'}, '${counts}')`
    const runs = [
      run('clean-up', 1, true, '{"deleted":1}'),
      run('clean-up', 3, true, '{"refused":1}'),
      run('clean-up', 2, true, '{"deleted":2}'),
      run('purge', 4, true, '{}'),
      run('purge', 5, false, '{}'),
      run('other', 6, false, '{}'),
    ]
    await execute(
      backend,
      `insert into job_runs (name, slot, holder, lease_until, finished_at, counts)
      values ${runs.join()}`,
    )

    await oneRowAJob(backend.writer, backend.dialect)

    const jobs = await backend.writer.selectFrom('jobs').selectAll().orderBy('name').execute()
    const free = { holder: null, lease_until: null }
    assert.deepEqual(
      jobs.map((job) => ({ ...job })),
      [
        {
          name: 'clean-up',
          last_slot: '2026-01-03T00:00:00.000Z',
          counts: '{"refused":1}',
          ...free,
        },
        { name: 'purge', last_slot: '2026-01-04T00:00:00.000Z', counts: '{}', ...free },
      ],
    )
    const old = await sql`select name from job_runs`.execute(backend.writer)
    assert.equal(old.rows.length, runs.length)
  })

  test('keeps every column of a session, which a deletion of its user no longer deletes', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    const released = [initial, mailAndJobs, accountLife, oneRowAJob]
    for (const up of released) await up(backend.writer, backend.dialect)
    const at = (hour: number) => `2026-01-01T1${hour}:00:00.000Z`
    await execute(
      backend,
      `insert into users (email, email_canonical, role, created_at, updated_at)
      values ('a@b.example', 'a@b.example', 'user', '${at(0)}', '${at(0)}')`,
    )
    await execute(
      backend,
      `insert into sessions (id, user_id, generation, rotated_at, created_at, expires_at, ends_at,
        last_seen_at, user_agent, ip, revoked_at, login_network, login_user_agent)
      select 'a session', id, 7, '${at(1)}', '${at(2)}', '${at(3)}', '${at(4)}', '${at(5)}', 'agent',
        'ip', '${at(6)}', 'network', 'login agent' from users`,
    )
    const sessions = async () =>
      (await backend.writer.selectFrom('sessions').selectAll().execute()).map((row) => ({ ...row }))
    const before = await sessions()

    await erasures(backend.writer, backend.dialect)
    await execute(backend, 'delete from users')

    assert.equal(before.length, 1)
    assert.deepEqual(await sessions(), before)
  })

  test('puts what waits into its line, and leaves what was sent as it was', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    for (const up of [initial, mailAndJobs, accountLife, oneRowAJob])
      await up(backend.writer, backend.dialect)
    const at = '2026-01-01T12:00:00.000Z'
    for (const [id, kind, finishedAt] of [
      ['1', 'verification', 'null'],
      ['2', 'reminder', 'null'],
      ['3', 'new_device', 'null'],
      ['4', 'password_reset', 'null'],
      ['5', 'verification', `'${at}'`],
    ])
      await execute(
        backend,
        `insert into outbox (id, kind, payload, created_at, due_at, claims, finished_at)
        values ('${id}', '${kind}', '{}', '${at}', '${at}', 0, ${finishedAt})`,
      )

    await turns(backend.writer)

    const rows = await backend.writer
      .selectFrom('outbox')
      .select(['line', 'turn'])
      .orderBy('id')
      .execute()
    assert.deepEqual(
      rows.map(({ line, turn }) => `${line} ${turn}`),
      ['sign_ups 0', 'sign_ups 3', 'notices 0', 'codes 0', 'codes 0'],
    )
  })

  test('takes over what the previous version has recorded, and leaves its record as it was', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await migrateAsBefore(backend)
    const recorded = async () =>
      (await sql`select * from schema_migrations order by name`.execute(backend.writer)).rows
    const before = await recorded()

    const pending = await pendingOf(backend)
    const applied = await database.migrate(backend)

    // The previous version is ready as long as it knows every name in there.
    assert.deepEqual(await recorded(), before)
    assert.deepEqual([pending, applied], [MIGRATIONS.slice(9), MIGRATIONS.slice(9)])
    assert.deepEqual(await pendingOf(backend), [])
    assert.deepEqual(await tablesIn(backend), TABLES)
  })

  if (DATABASE === 'postgres')
    test('lets others read the tables of the previous version while it builds indexes', async () => {
      await using database = await emptyDatabase()
      const backend = await database.open()
      await migrateAsBefore(backend)
      // Dropping an index locks its table against all reads, to the end of the transaction.
      await execute(
        backend,
        `create function refuse_locks() returns event_trigger language plpgsql as $$
          begin
            if exists (
              select from pg_locks where pid = pg_backend_pid() and mode = 'AccessExclusiveLock'
              and relation in ('users'::regclass, 'sessions'::regclass, 'audit_events'::regclass, 'outbox'::regclass)
            ) then raise 'nobody can read the table meanwhile'; end if;
          end $$`,
      )
      await execute(
        backend,
        `create event trigger refuse_locks on ddl_command_start when tag in ('CREATE INDEX')
          execute function refuse_locks()`,
      )

      assert.deepEqual(await database.migrate(backend), MIGRATIONS.slice(9))
    })

  if (DATABASE === 'postgres')
    test('does not read all users while it locks them', async () => {
      await using database = await emptyDatabase()
      const backend = await database.open()
      await database.migrate(backend)
      await execute(backend, 'drop table invitations')
      for (const column of ['invited_role', 'invited_until'])
        await execute(backend, `alter table users drop column ${column}`)

      const scans = await backend.writer.transaction().execute(async (tx) => {
        await invitations(tx, backend.dialect)
        return sql<{ seq_scan: number }>`
          select seq_scan::integer from pg_stat_xact_user_tables where relname = 'users'`.execute(
          tx,
        )
      })

      assert.deepEqual(
        scans.rows.map(({ seq_scan: count }) => count),
        [0],
      )
    })

  test('does not take over what it does not know', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await migrateAsBefore(backend)
    await execute(backend, `insert into schema_migrations values ('${FUTURE}', '')`)

    for (const refused of [database.migrate, pendingOf])
      await assert.rejects(
        refused(backend),
        (error) => error instanceof SchemaError && error.message.includes(FUTURE),
      )
  })

  test('leaves users whose events the version before had not blanked to the job that erases', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await migrateAsBefore(backend)
    await execute(backend, 'insert into audit_leftovers values (4711)')

    await database.migrate(backend)

    const rows = await backend.writer.selectFrom('erasures').selectAll().execute()
    const [erasure] = rows
    assert.deepEqual([rows.length, erasure?.user_id], [1, 4711])
    assert.ok(Math.abs(Date.parse(erasure?.created_at ?? '') - Date.now()) < 60 * 60 * 1000)
    const left = await sql`select user_id from audit_leftovers`.execute(backend.writer)
    assert.deepEqual(left.rows, [])
  })

  test('goes on with a newer schema that needs nothing newer', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await database.migrate(backend)
    await addFutureMigration(backend, MIGRATIONS.at(-1) ?? '')

    const { pending, newer } = await compareSchema(backend.reader)
    const applied = await database.migrate(backend)

    assert.deepEqual([pending, newer, applied], [[], [FUTURE], []])
  })

  test('refuses to run migrations behind newer ones', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await database.migrate(backend)
    await addFutureMigration(backend, '0001-initial')
    await execute(backend, `delete from coffee_shop_migrations where name = '${MIGRATIONS.at(-1)}'`)

    await assert.rejects(database.migrate(backend), SchemaError)
  })

  test('refuses a newer schema that needs a newer program', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await database.migrate(backend)
    await addFutureMigration(backend, FUTURE)

    for (const refused of [database.migrate, pendingOf])
      await assert.rejects(
        refused(backend),
        (error) => error instanceof SchemaError && error.message.includes(FUTURE),
      )
  })
})

describe('the program', () => {
  test('migrates once when three processes migrate at once', async () => {
    await using database = await emptyDatabase()

    const runs = await Promise.all(times(3).map(() => runCommand(['migrate'], database.env)))

    assert.deepEqual(
      runs.map(({ exitCode }) => exitCode),
      [0, 0, 0],
      runs.map(({ output }) => output).join(''),
    )
    const outputs = runs.map(({ output }) => output.trim()).toSorted()
    assert.deepEqual(outputs, [
      `Applied ${MIGRATIONS.join(', ')}.`,
      'The schema is up to date.',
      'The schema is up to date.',
    ])
  })

  test('does not start on a newer schema and says what to do', async () => {
    await using database = await emptyDatabase()
    const backend = await database.open()
    await database.migrate(backend)
    await addFutureMigration(backend, FUTURE)

    for (const args of [[], ['migrate']]) {
      const { exitCode, output } = await runCommand(args, { ...database.env, PORT: '0' })

      assert.equal(exitCode, 1)
      assert.match(output, new RegExp(`^Cannot start: .*${FUTURE}.*start the newer version$`, 'm'))
    }
  })

  test('does not start on an older schema with MIGRATE=off and says what to do', async () => {
    await using database = await emptyDatabase()
    const env = { ...database.env, PORT: '0', MIGRATE: 'off' }

    const { exitCode, output } = await runCommand([], env)

    assert.equal(exitCode, 1)
    assert.match(output, /^Cannot start: .*0001-initial.*npm run migrate.*MIGRATE=on$/m)
    assert.deepEqual(await tablesIn(await database.open()), [])
  })
})
