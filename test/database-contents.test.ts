import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { findUsers } from '../server/accounts/user-search.ts'
import type { Backend } from '../server/database/connect.ts'
import { checkSchema, migrate, rehearse } from '../server/database/migrate.ts'
import { openDatabase } from '../server/database/open.ts'
import { SchemaError } from '../server/database/problems.ts'
import { findSequencesBehind, mendSequence } from '../server/database/sequences.ts'
import { databaseUrl } from '../server/database/url.ts'
import { createTestDatabase, DATABASE } from './support/database.ts'
import { runOn, runProgram, startProgram } from './support/process.ts'
import { rowsOf } from './support/seed.ts'
import { MIGRATIONS, TABLES } from './support/schema.ts'
import { SETTINGS, startService } from './support/service.ts'

// What else may be in the database: tables of other programs, other schemas, sequences that are behind.

const RAILS = 'create table schema_migrations (version varchar(255) primary key)'
const OTHER_KYSELY = `
  create table schema_migrations (name varchar(255) primary key, timestamp varchar(255) not null);
  insert into schema_migrations values ('2024-01-01-first', '2024-01-01T00:00:00.000Z')`

const AT = '2026-01-01T00:00:00.000Z'
const USER = { role: 'user', created_at: AT, updated_at: AT } as const

/** An empty database that `statements` have prepared, one after the other. */
async function prepared(...statements: string[]) {
  const database = await createTestDatabase({ migrated: false })
  const url = databaseUrl(database.url)
  const backend = await openDatabase(url)
  for (const statement of statements.flatMap((text) => text.split(';')))
    await sql.raw(statement).execute(backend.writer)
  return {
    backend,
    url: database.url,
    migrate: () => migrate(url, backend),
    async [Symbol.asyncDispose]() {
      await backend.close()
      await database.drop()
    },
  }
}

async function tablesIn({ writer }: Backend): Promise<string[]> {
  const tables = await writer.introspection.getTables()
  return tables.map(({ schema, name }) => (schema ? `${schema}.${name}` : name)).toSorted()
}

const isAbout = (name: string) => (error: unknown) =>
  error instanceof SchemaError && error.message.includes(name)

describe('a table of another program', () => {
  for (const [why, statement, name] of [
    ['a table users', 'create table users (name text)', 'users'],
    ['a table jobs, which comes late', 'create table jobs (id integer)', 'jobs'],
    ['a view', 'create view erasures as select 1 as id', 'erasures'],
    [
      'an index',
      'create table other (id integer); create index sessions_user on other (id)',
      'sessions_user',
    ],
    ...(DATABASE === 'postgres'
      ? ([
          ['a type', 'create type outbox as (id integer)', 'outbox'],
          ['a sequence', 'create sequence sign_ups', 'sign_ups'],
        ] as const)
      : []),
  ] as const) {
    test(`that is in the way is named, and nothing is left behind: ${why}`, async () => {
      await using database = await prepared(statement)
      const before = await tablesIn(database.backend)

      await assert.rejects(rehearse(database.backend), isAbout(name))
      await assert.rejects(database.migrate(), isAbout(name))

      assert.deepEqual(await tablesIn(database.backend), before)
    })
  }

  for (const [whose, statements] of [
    ['Rails', RAILS],
    ['another program of this kind', OTHER_KYSELY],
  ] as const) {
    test(`schema_migrations of ${whose} is neither read nor written`, async () => {
      await using database = await prepared(statements)
      const rows = async () =>
        (await sql`select * from schema_migrations`.execute(database.backend.writer)).rows
      const before = await rows()

      const { pending } = await checkSchema(database.backend)
      const applied = await database.migrate()

      assert.deepEqual([pending, applied], [MIGRATIONS, MIGRATIONS])
      assert.deepEqual(await rows(), before)
    })
  }

  test('is said in one line by a start and by doctor', async () => {
    await using database = await prepared('create table users (name text)')
    const env = { ...SETTINGS, DATABASE_URL: database.url, PORT: '0' }

    const start = await runProgram([], { env })
    const doctor = await runOn({ databaseUrl: database.url }, ['doctor'])

    assert.equal(start.exitCode, 1)
    assert.match(start.stderr, /^Cannot start: .*\busers\b.*\n$/)
    assert.equal(doctor.exitCode, 1)
    assert.match(doctor.stdout, /^FAIL .*\busers\b/m)
    assert.doesNotMatch(start.stdout + doctor.stdout, /^\s+at /m)
  })
})

if (DATABASE === 'postgres') {
  describe('the schema', () => {
    const names = TABLES.map((table) => `create table other.${table} (name integer)`)
    /** A role of its own, which can be given a search path; ends its connections, too. */
    async function withRole(path: string, ...statements: string[]) {
      const database = await prepared('create schema other', ...statements)
      const role = `role_${new URL(database.url).pathname.slice(1)}`
      const url = new URL(database.url)
      url.username = role
      url.password = 'secret'
      for (const statement of [
        `create role ${role} login password 'secret'`,
        `grant all on schema public, other to ${role}`,
        `grant select on all tables in schema other to ${role}`,
        `alter role ${role} set search_path = ${path}`,
      ])
        await sql.raw(statement).execute(database.backend.writer)
      return {
        role,
        database,
        url: url.href,
        migrate: async () => {
          const parsed = databaseUrl(url.href)
          const backend = await openDatabase(parsed)
          try {
            return await migrate(parsed, backend)
          } finally {
            await backend.close()
          }
        },
        async [Symbol.asyncDispose]() {
          await sql.raw(`drop owned by ${role}; drop role ${role}`).execute(database.backend.writer)
          await database[Symbol.asyncDispose]()
        },
      }
    }

    for (const [why, path, statements] of [
      ['another schema holds every name of ours', 'public', names],
      ['another schema of the search path does', 'public, other', names],
      ['another schema has a foreign schema_migrations', 'public, other', [railsIn('other')]],
    ] as const) {
      test(`is the current one, though ${why}`, async () => {
        await using role = await withRole(path, ...statements)

        assert.deepEqual(await role.migrate(), MIGRATIONS)
        assert.deepEqual(await role.migrate(), [])

        const { writer } = role.database.backend
        const { rows } = await sql<{ tablename: string }>`
          select tablename from pg_tables where schemaname = 'public'`.execute(writer)
        assert.deepEqual(
          rows.map(({ tablename }) => tablename).toSorted(),
          [...TABLES, 'coffee_shop_migrations'].toSorted(),
        )
      })
    }

    for (const [why, path] of [
      ['is named after the user and is missing', '"$user"'],
      ['is none at all', `''`],
      ['does not exist', 'nowhere'],
    ] as const) {
      test(`is refused with the SQL that mends it where it ${why}`, async () => {
        await using role = await withRole(path)

        await assert.rejects(role.migrate(), (error) => {
          assert.ok(error instanceof SchemaError, String(error))
          assert.match(error.message, /create schema coffee_shop authorization \w+; alter role/)
          return true
        })
        const remedy = `create schema coffee_shop authorization ${role.role}; alter role ${role.role} in database ${new URL(role.url).pathname.slice(1)} set search_path = coffee_shop`
        for (const statement of remedy.split('; '))
          await sql.raw(statement).execute(role.database.backend.writer)

        assert.deepEqual(await role.migrate(), MIGRATIONS)
      })
    }

    test('is refused where our tables are in another one that is only seen', async () => {
      await using role = await withRole('public')
      await role.migrate()
      const { writer } = role.database.backend
      await sql.raw(`alter role ${role.role} set search_path = other, public`).execute(writer)

      await assert.rejects(role.migrate(), isAbout('are in the schema public'))
    })

    test('takes a user without the right to create pg_trgm: searches find beginnings, as a start and doctor warn', async () => {
      await using role = await withRole('public')
      await role.migrate()
      const { backend } = role.database
      const emails = ['ann@example.com', 'joann@example.com']
      const users = emails.map((email) => ({ email, email_canonical: email, ...USER }))
      await backend.writer.insertInto('users').values(users).execute()
      const search = async () => {
        const page = { sort: 'id', limit: 10, skip: 0, after: undefined } as const
        const found = await findUsers(backend.reader, { q: 'ann' }, page)
        return found.map((user) => user.email)
      }
      const warning = /the search for users finds beginnings only/
      const doctor = async () =>
        warning.test((await runOn({ databaseUrl: role.url }, ['doctor'])).stdout)

      const without = [await search(), await doctor()]
      await using program = startProgram({
        // The users have never been verified: a clean-up would delete them.
        env: { ...SETTINGS, DATABASE_URL: role.url, PORT: '0', WORKER: 'separate' },
      })
      await program.url()
      await sql.raw('create extension pg_trgm').execute(backend.writer)
      await sql`
        create index concurrently users_search on users
        using gin (email_canonical gin_trgm_ops, lower(full_name) gin_trgm_ops) with (fastupdate = off)`.execute(
        backend.writer,
      )

      assert.deepEqual(without, [['ann@example.com'], true])
      assert.match(program.stdout(), warning)
      assert.deepEqual([await search(), await doctor()], [emails, false])
    })

    test('is refused where this user may not create tables, in one line', async () => {
      await using role = await withRole('other')
      const { writer } = role.database.backend
      await sql.raw(`revoke all on schema other from ${role.role}`).execute(writer)
      await sql.raw(`grant usage on schema other to ${role.role}`).execute(writer)

      const env = { ...SETTINGS, DATABASE_URL: role.url, PORT: '0' }
      const { exitCode, stderr } = await runProgram([], { env })

      assert.equal(exitCode, 1)
      assert.match(stderr, /^Cannot start:\n {2}DATABASE_URL: the user lacks permission; .*\n$/)
    })
  })
}

function railsIn(schema: string): string {
  return RAILS.replace('schema_migrations', `${schema}.schema_migrations`)
}

describe('a sequence that is behind its table', () => {
  const setBack =
    DATABASE === 'postgres'
      ? sql`select setval(pg_get_serial_sequence('users', 'id'), 1, false)`
      : sql`delete from sqlite_sequence where name = 'users'`

  test('is found by doctor, which prints the SQL that mends it', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.ctx.transaction((tx) => setBack.execute(tx))

    const ill = await runOn(service, ['doctor'])
    const remedy = /mends it, or: (.+)/.exec(ill.stdout)?.[1] ?? ''
    for (const statement of remedy.split('; '))
      await service.ctx.transaction((tx) => sql.raw(statement).execute(tx))
    const well = await runOn(service, ['doctor'])

    assert.equal(ill.exitCode, 1)
    assert.match(ill.stdout, /^FAIL new rows of users would get ids that were used/m)
    assert.match(well.stdout, /^ok {3}ids$/m)
    assert.equal((await service.addUser()).id, ann.id + 1)
  })

  test('is mended by a start, past the ids of deleted users that anything still names', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await service.ctx.transaction((tx) => tx.deleteFrom('users').where('id', '=', bob.id).execute())
    await service.ctx.transaction((tx) => setBack.execute(tx))

    const { exitCode, stderr } = await runOn(service, ['users', 'show', String(ann.id)])

    assert.equal(exitCode, 0)
    assert.match(stderr, /ids continue after the highest/)
    assert.equal((await service.addUser()).id, bob.id + 1)
  })

  test('is mended once another process has finished its write', async () => {
    await using service = await startService()
    await service.addUser()
    await service.ctx.transaction((tx) => setBack.execute(tx))
    const backend = await openDatabase(databaseUrl(service.databaseUrl))
    try {
      const [behind] = await findSequencesBehind(backend)
      assert.ok(behind)
      let mending: Promise<void> | undefined
      await service.ctx.transaction(async (tx) => {
        await tx.updateTable('users').set({ full_name: 'Ann' }).execute()
        mending = mendSequence(backend, behind)
        mending.catch(() => {})
        // On SQLite it has met the lock by then.
        await setImmediate()
      })
      await mending

      assert.deepEqual(await findSequencesBehind(backend), [])
    } finally {
      await backend.close()
    }
  })

  test('stays as it is with MIGRATE=off, and the log has the SQL', async () => {
    await using service = await startService()
    await service.addUser()
    await service.ctx.transaction((tx) => setBack.execute(tx))

    const { stderr } = await runOn(service, ['users', 'list'], { settings: { MIGRATE: 'off' } })

    assert.match(stderr, /new rows would get ids that were used: (select setval|delete from)/)
    assert.match((await runOn(service, ['doctor'])).stdout, /^FAIL new rows of users/m)
  })

  test('is mended while others sign up: no id is given twice', async () => {
    await using service = await startService()
    for (let n = 0; n < 20; n++) await service.addUser()
    await service.ctx.transaction((tx) => setBack.execute(tx))

    const listing = runOn(service, ['users', 'list'])
    await Promise.allSettled([listing, ...Array.from({ length: 20 }, () => service.addUser())])

    assert.equal((await listing).exitCode, 0)
    const ids = (await rowsOf(service.ctx, 'users')).map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal((await service.addUser()).id, Math.max(...ids) + 1)
  })
})
