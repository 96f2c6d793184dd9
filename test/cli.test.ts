import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { createDatabase, dropDatabase } from './support/cluster.ts'
import { createTestDatabase, DATABASE } from './support/database.ts'
import { assertProblem } from './support/problem.ts'
import { type Finished, runProgram, temporaryFolder } from './support/process.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, SETTINGS, startService } from './support/service.ts'

const CANARY = 'canary-2b7f'

/** A service whose clock is that of the commands, and the commands on its database. */
async function startWithCommands() {
  const service = await startService({}, { nowMs: Date.now() })
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl }
  const run = (args: string[], input = '') => runProgram(args, { env, input })
  return { service, run, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

/** A database without a table. */
async function createEmptyDatabase() {
  if (DATABASE === 'sqlite') return createTestDatabase({ migrated: false })
  const server = process.env['TEST_POSTGRES_URL'] ?? ''
  const name = `empty_${process.pid}_${Date.now()}`
  return { url: await createDatabase(server, name), drop: () => dropDatabase(server, name) }
}

function assertRefused(finished: Finished, message: RegExp): void {
  assert.equal(finished.exitCode, 1, finished.stderr)
  assert.match(finished.stderr, message)
  assert.equal(finished.stdout, '')
}

const usersOf = ({ exitCode, stdout, stderr }: Finished) => {
  assert.equal(exitCode, 0, stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('users create', () => {
  test('0 makes a verified admin whose password was read from standard input', async () => {
    await using program = await startWithCommands()
    const { service, run } = program

    const created = await run(
      ['users', 'create', 'Boss@example.com', '--role', 'admin', '--name', 'The Boss'],
      `${PASSWORD}\r\nnot this\r\n`,
    )

    const [user] = usersOf(created)
    assert.equal(user.email, 'Boss@example.com')
    assert.equal(user.role, 'admin')
    assert.equal(user.full_name, 'The Boss')
    assert.equal(user.is_verified, true)
    const { access } = await service.logIn('boss@example.com')
    assert.equal((await service.get('/api/v1/users', { token: access })).status, 200)
  })

  test('0 takes the place of an account that nobody verified in time', async () => {
    await using program = await startWithCommands()
    await program.service.signUp('ann@example.com')
    const past = new Date(Date.now() - 49 * 3600 * 1000).toISOString()
    await program.service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ created_at: past }).execute(),
    )

    const [user] = usersOf(await program.run(['users', 'create', 'ann@example.com'], PASSWORD))

    const messages = await rowsOf(program.service.ctx, 'outbox')
    assert.equal(user.is_verified, true)
    assert.ok(messages.length > 0 && !JSON.stringify(messages).includes('ann@example.com'))
  })

  for (const [why, email, input, args, message] of [
    ['a registered address', 'ANN@example.com', PASSWORD, [], /^email_taken/],
    ['no password', 'bob@example.com', '', [], /at least 8/],
    [
      'an admin’s password of 14',
      'bob@example.com',
      'fourteen chars',
      ['--role', 'admin'],
      /at least 15/,
    ],
    ['a well-known password', 'bob@example.com', 'password123', [], /most used/],
    [
      'a name with a line break',
      'bob@example.com',
      PASSWORD,
      ['--name', 'Bob\nx'],
      /^validation_failed/,
    ],
  ] as const) {
    test(`1 for ${why}, and nothing is made`, async () => {
      await using program = await startWithCommands()
      await program.service.addUser('ann@example.com')

      assertRefused(await program.run(['users', 'create', email, ...args], input), message)

      assert.equal(usersOf(await program.run(['users', 'list'])).length, 1)
    })
  }
})

describe('users list and show', () => {
  test('0 lists one JSON object per line, filtered, and shows one by id or by address', async () => {
    await using program = await startWithCommands()
    const { service, run } = program
    const ann = await service.addUser('ann@example.com')
    const boss = await service.addAdmin('boss@example.com')
    const shown = (await service.get('/api/v1/me', { token: ann.access })).body

    const emails = async (...args: string[]) =>
      usersOf(await run(['users', 'list', ...args])).map(({ email }) => email)

    assert.deepEqual(await emails(), [ann.email, boss.email])
    assert.deepEqual(await emails('--role', 'admin'), [boss.email])
    assert.deepEqual(await emails('--q', 'ANN@'), [ann.email])
    assert.deepEqual(usersOf(await run(['users', 'show', String(ann.id)])), [shown])
    assert.deepEqual(usersOf(await run(['users', 'show', 'ANN@example.com'])), [shown])
    assertRefused(await run(['users', 'show', 'nobody@example.com']), /^not_found/)
    assertRefused(await run(['users', 'show', '9007199254740993']), /^not_found/)
  })
})

describe('an unknown id or address', () => {
  for (const [args, message] of [
    [
      ['users', 'delete', 'nobody@example.com'],
      /^not_found: There is no user nobody@example\.com\.\n$/,
    ],
    [['users', 'show', CANARY], /^not_found: There is nothing here\.\n$/],
    [['sessions', 'end', '--user', '4711'], /^not_found: There is no user 4711\.\n$/],
  ] as const) {
    test(`1 not_found, and which, for: ${args.join(' ')}`, async () => {
      await using program = await startWithCommands()

      const finished = await program.run([...args])

      assertRefused(finished, message)
    })
  }
})

describe('users set-role, disable, enable, delete', () => {
  test('0 changes what the API sees at the next request', async () => {
    await using program = await startWithCommands()
    const { service, run } = program
    const ann = await service.addUser('ann@example.com')
    await service.addAdmin()
    const list = () => service.get('/api/v1/users', { token: ann.access })

    assert.equal(usersOf(await run(['users', 'set-role', ann.email, 'admin']))[0].role, 'admin')
    assert.equal((await list()).status, 200)

    assert.equal(usersOf(await run(['users', 'disable', String(ann.id)]))[0].disabled, true)
    assertProblem(await list(), 'invalid_token')
    assertRefused(await run(['users', 'set-role', '999', 'admin']), /^not_found/)

    assert.equal(usersOf(await run(['users', 'enable', ann.email]))[0].disabled, false)
    assertProblem(await list(), 'invalid_token')
    await service.logIn(ann.email)

    const deleted = await run(['users', 'delete', ann.email])
    assert.deepEqual([deleted.exitCode, deleted.stdout], [0, `Deleted user ${ann.id}.\n`])
    assertRefused(await run(['users', 'delete', ann.email]), /^not_found/)
  })

  test('1 last_admin for each way to lose the last admin', async () => {
    await using program = await startWithCommands()
    const { service, run } = program
    const boss = await service.addAdmin()

    for (const args of [
      ['set-role', boss.email, 'user'],
      ['disable', boss.email],
      ['delete', boss.email],
    ]) {
      assertRefused(await run(['users', ...args]), /^last_admin/)
    }

    assert.equal((await service.get('/api/v1/users', { token: boss.access })).status, 200)
  })

  test('1 user_inactive for promoting somebody unverified', async () => {
    await using program = await startWithCommands()
    await program.service.signUp('ann@example.com')

    const promoted = await program.run(['users', 'set-role', 'ann@example.com', 'admin'])

    assertRefused(promoted, /^user_inactive/)
  })
})

describe('migrate', () => {
  test('0 brings an empty database up to date, once; without it MIGRATE=off refuses to start', async () => {
    const database = await createEmptyDatabase()
    const env = { ...SETTINGS, DATABASE_URL: database.url, MIGRATE: 'off' }
    try {
      const before = await runProgram(['users', 'list'], { env })
      const first = await runProgram(['migrate'], { env })
      const second = await runProgram(['migrate'], { env })
      const after = await runProgram(['users', 'list'], { env })

      assertRefused(before, /^Cannot start: the database lacks migrations .*npm run migrate/)
      assert.deepEqual(
        [first.exitCode, first.stdout],
        [0, 'Applied 0001-initial, 0002-mail-and-jobs, 0003-account-life.\n'],
      )
      assert.deepEqual([second.exitCode, second.stdout], [0, 'The schema is up to date.\n'])
      assert.deepEqual([after.exitCode, after.stdout], [0, ''])
    } finally {
      await database.drop()
    }
  })

  test('1 for a schema newer than the program, by every way in', async () => {
    await using program = await startWithCommands()
    await addNewerMigration(program.service)

    for (const args of [['migrate'], ['users', 'list']]) {
      assertRefused(await program.run(args), /^Cannot start: .*9999-newer.*start the newer version/)
    }
  })
})

describe('doctor', () => {
  test('0 and one line for each thing that is well', async () => {
    await using program = await startWithCommands()
    await program.service.addAdmin()

    const { exitCode, stdout, stderr } = await program.run(['doctor'])

    assert.equal(exitCode, 0, stdout)
    for (const line of [
      'settings',
      `database (${DATABASE})`,
      'migrations',
      'clock',
      'an active admin',
    ])
      assert.ok(stdout.includes(`ok   ${line}`), stdout)
    assert.match(stdout, /^warn ARGON2_MEMORY_KIB/m)
    assert.equal(stderr, '')
  })

  test('1 for a database that cannot be used, without its URL', async () => {
    using folder = temporaryFolder()
    const url =
      DATABASE === 'sqlite'
        ? `sqlite:///${folder.path}`
        : `postgresql://ann:${CANARY}@127.0.0.1:1/shop`

    const { exitCode, stdout, stderr } = await runProgram(['doctor'], {
      env: { ...SETTINGS, DATABASE_URL: url },
    })

    assert.equal(exitCode, 1)
    assert.match(stdout, /^FAIL DATABASE_URL names a /m)
    assert.doesNotMatch(stdout + stderr, new RegExp(CANARY))
  })

  test('1 for pending migrations, a warning for no admin', async () => {
    await using program = await startWithCommands()
    const noAdmin = await program.run(['doctor'])
    await program.service.ctx.transaction((tx) => sql`delete from schema_migrations`.execute(tx))
    const pending = await program.run(['doctor'])

    assert.equal(noAdmin.exitCode, 0)
    assert.match(noAdmin.stdout, /^warn no admin yet: npm run cli -- users create/m)
    assert.equal(pending.exitCode, 1)
    assert.match(pending.stdout, /^FAIL migrations pending: 0001-initial/m)
  })
})

async function addNewerMigration({ ctx }: Service): Promise<void> {
  await ctx.transaction((tx) =>
    sql`insert into schema_migrations (name, timestamp) values ('9999-newer', '2026-01-01T00:00:00.000Z')`.execute(
      tx,
    ),
  )
}
