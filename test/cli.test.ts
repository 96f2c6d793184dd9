import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { claimSlot } from '../server/schedule/jobs.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { endSessionsAfter } from '../server/accounts/session-list.ts'
import { loadSigningKeys } from '../server/keys/signing-key-file.ts'
import { createTestDatabase, DATABASE } from './support/database.ts'
import { failedMail, outboxRows } from './support/mailers.ts'
import { assertProblem } from './support/problem.ts'
import { type Finished, runOn, temporaryFolder } from './support/process.ts'
import { times } from './support/races.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'
import { USERS } from './support/users.ts'

const CANARY = 'canary-2b7f'
const ANN = 'ann@example.com'
const UNKNOWN = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'

/** A service whose clock is that of the commands. */
const start = () => startService({}, { nowMs: Date.now() })

function assertDone({ exitCode, stdout, stderr }: Finished, expected: string): void {
  assert.equal(exitCode, 0, stderr)
  assert.equal(stdout, expected)
}

function assertRefused({ exitCode, stdout, stderr }: Finished, message: RegExp): void {
  assert.equal(exitCode, 1, stderr)
  assert.match(stderr, message)
  assert.equal(stdout, '')
}

/** What a command printed, a JSON object a line. */
function linesOf({ exitCode, stdout, stderr }: Finished): any[] {
  assert.equal(exitCode, 0, stderr)
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line))
}

const eventsOf = async ({ ctx }: Service, name: string) =>
  (await rowsOf(ctx, 'audit_events')).filter(({ event }) => event === name)

describe('sessions end', () => {
  const end = (service: Service, ...args: string[]) => runOn(service, ['sessions', 'end', ...args])

  /** By both tokens, so that neither is forgotten. */
  async function isLive(service: Service, tokens: Pick<TestUser, 'access' | 'refresh'>) {
    const me = await service.get('/api/v1/me', { token: tokens.access })
    const body = { refresh_token: tokens.refresh }
    const refreshed = await service.post('/api/v1/auth/refresh', body)
    assert.equal(me.status === 200, refreshed.status === 200)
    return me.status === 200
  }
  const endings = async (service: Service) =>
    (await eventsOf(service, 'sessions.ended')).map((row) => {
      return [row.actor_id, row.subject_id, JSON.parse(row.changes)]
    })

  /** So many sessions of a user, the live ones first, as a restored table might hold them. */
  async function seedSessions(
    { ctx, clock }: Service,
    userId: number,
    { live, expired }: { live: number; expired: number },
  ) {
    const at = (ms: number) => toIso(clock.nowMs + ms)
    const rows = times(live + expired).map((n) => ({
      id: crypto.randomUUID(),
      user_id: userId,
      generation: 0,
      created_at: at(-8 * DAY_MS),
      expires_at: at(n < live ? DAY_MS : -DAY_MS),
      ends_at: at(22 * DAY_MS),
      last_seen_at: at(-8 * DAY_MS),
    }))
    for (let from = 0; from < rows.length; from += 500) {
      const some = rows.slice(from, from + 500)
      await ctx.transaction((tx) => tx.insertInto('sessions').values(some).execute())
    }
  }

  for (const [how, keyOf] of [
    ['id', (user: TestUser) => String(user.id)],
    ['address', (user: TestUser) => user.email.toUpperCase()],
  ] as const) {
    test(`--user with the ${how} ends every session of that user at once, and of nobody else`, async () => {
      await using service = await start()
      const bob = await service.addUser()
      const ann = await service.addUser()
      const second = await service.logIn(ann.email)

      assertDone(await end(service, '--user', keyOf(ann)), 'Ended 2 sessions.\n')

      for (const tokens of [ann, second]) assert.equal(await isLive(service, tokens), false)
      assert.equal(await isLive(service, bob), true)
      assert.deepEqual(await endings(service), [[null, ann.id, { ended: 2 }]])
      assert.equal(await isLive(service, await service.logIn(ann.email)), true)
    })
  }

  test('--all ends every session of everybody, in more than one batch, and counts the live ones', async () => {
    await using service = await start()
    const { batchMax } = service.ctx
    const users = [await service.addUser(), await service.addAdmin()]
    await seedSessions(service, users[0]?.id ?? 0, { live: batchMax, expired: batchMax })

    assertDone(await end(service, '--all'), `Ended ${batchMax + 2} sessions.\n`)

    for (const user of users) assert.equal(await isLive(service, user), false)
    const sessions = await rowsOf(service.ctx, 'sessions')
    assert.ok(sessions.every((row) => row.revoked_at !== null))
    const events = await endings(service)
    assert.ok(events.length > 1)
    assert.ok(events.every(([actor, subject, { of }]) => !actor && !subject && of === 'all'))
    const counted = events.reduce((sum, [, , { ended }]) => sum + ended, 0)
    assert.equal(counted, batchMax + 2)
    for (const { email } of users)
      assert.equal(await isLive(service, await service.logIn(email)), true)
  })

  test('--all again ends nothing, moves no time and records nothing', async () => {
    await using service = await start()
    await service.addUser()
    await end(service, '--all')
    const { ctx } = service
    const state = async () => [await rowsOf(ctx, 'sessions'), await rowsOf(ctx, 'audit_events')]
    const earlier = await state()

    assertDone(await end(service, '--all'), 'Ended 0 sessions.\n')

    assert.deepEqual(await state(), earlier)
  })

  test('--all goes on with what another run left when it was killed', async () => {
    await using service = await start()
    const ann = await service.addUser()
    await seedSessions(service, ann.id, { live: 9, expired: 0 })
    await service.ctx.transaction((tx) =>
      endSessionsAfter(tx, '', { limit: 4, nowMs: service.clock.nowMs - DAY_MS }),
    )

    assertDone(await end(service, '--all'), 'Ended 6 sessions.\n')

    const sessions = await rowsOf(service.ctx, 'sessions')
    const endedAt = sessions.map((row) => row.revoked_at)
    assert.ok(endedAt.every((at) => at !== null))
    // What the first had ended keeps its time.
    assert.equal(endedAt.filter((at) => at < toIso(service.clock.nowMs - DAY_MS / 2)).length, 4)
  })

  test('1 not_found for a user who does not exist, 2 for --all and --user: nothing ends', async () => {
    await using service = await start()
    const ann = await service.addUser()

    assertRefused(await end(service, '--user', '999999'), /^not_found: /m)
    const { exitCode, stderr } = await end(service, '--all', '--user', String(ann.id))

    assert.equal(exitCode, 2)
    assert.match(stderr, /usage: npm run cli -- sessions end --all \| --user <id or email>/)
    assert.equal(await isLive(service, ann), true)
    assert.deepEqual(await endings(service), [])
  })
})

describe('cleanup', () => {
  const clean = (service: Service, ...args: string[]) => runOn(service, ['cleanup', ...args])
  const count = async ({ ctx }: Service) => (await rowsOf(ctx, 'users')).length

  /** With three users too old, one young, one verified. */
  async function startWithUsers() {
    const service = await start()
    const past = (hours: number) => ({ createdAtMs: Date.now() - hours * HOUR_MS })
    await seedUsers(service.ctx, 3, past(49))
    await seedUsers(service.ctx, 1, past(47))
    await seedUsers(service.ctx, 1, { ...past(49), verified: true })
    return service
  }

  test('--dry-run counts and lists the ids, and deletes nobody', async () => {
    await using service = await startWithUsers()

    const finished = await clean(service, '--dry-run')

    assertDone(finished, '1\n2\n3\n')
    assert.match(finished.stderr, /^3 users would be deleted\.$/m)
    assert.equal(await count(service), 5)
    assert.deepEqual(await rowsOf(service.ctx, 'jobs'), [])
  })

  test('deletes them, says how many, and leaves an audit event', async () => {
    await using service = await startWithUsers()

    assertDone(await clean(service), 'Deleted 3 users.\n')

    assert.equal(await count(service), 2)
    const [event] = await eventsOf(service, 'users.cleaned_up')
    assert.equal(JSON.parse(event.changes).deleted, 3)
  })

  test('refuses more than 1 000 and half of all, --force does it, --dry-run lists them all', async () => {
    await using service = await startWithUsers()
    await seedUsers(service.ctx, 1200, { createdAtMs: Date.now() - 49 * HOUR_MS })

    const refused = await clean(service)
    const afterRefusal = await count(service)
    const dry = await clean(service, '--dry-run')
    const forced = await clean(service, '--force')

    assertRefused(refused, /1203 of 1205 users would be deleted.*--force/)
    assert.equal(afterRefusal, 1205)
    assert.equal(new Set(dry.stdout.trim().split('\n')).size, 1203)
    assertDone(forced, 'Deleted 1203 users.\n')
    assert.equal(await count(service), 2)
  })

  test('1 while a run is held elsewhere, 2 for what it does not know: nobody is deleted', async () => {
    await using service = await startWithUsers()
    const nowMs = Date.now()
    const slot = { name: 'clean-up', slotMs: nowMs - HOUR_MS }
    await service.ctx.transaction((tx) => claimSlot(tx, slot, nowMs))

    assertRefused(await clean(service), /already running/)
    assert.equal((await clean(service, '--all')).exitCode, 2)

    assert.equal(await count(service), 5)
  })
})

describe('migrate', () => {
  test('0 brings an empty database up to date, once; without it MIGRATE=off refuses to start', async () => {
    const database = await createTestDatabase({ migrated: false })
    const run = (...args: string[]) =>
      runOn({ databaseUrl: database.url }, args, { settings: { MIGRATE: 'off' }, input: '' })
    try {
      const early = await run('users', 'list')
      const runs = [await run('migrate'), await run('migrate'), await run('users', 'list')]

      assertRefused(early, /^Cannot start: the database lacks migrations .*npm run migrate/)
      const [first, second, late] = runs as [Finished, Finished, Finished]
      assertDone(
        first,
        'Applied 0001-initial, 0002-mail-and-jobs, 0003-account-life, 0004-one-row-a-job, 0005-erasures, 0006-reauthentication, 0007-keys-in-use, 0008-turns, 0009-login-unlocks, 0010-drop-job-runs, 0013-session-indexes.\n',
      )
      assertDone(second, 'The schema is up to date.\n')
      assertDone(late, '')
    } finally {
      await database.drop()
    }
  })

  test('1 for a schema that needs a newer program, by every way in', async () => {
    await using service = await start()
    await service.ctx.transaction((tx) =>
      sql`insert into coffee_shop_migrations (name, needs) values ('9999-newer', '9998-newer')`.execute(
        tx,
      ),
    )

    for (const args of [['migrate'], ['users', 'list']]) {
      const message = /^Cannot start: .*9999-newer.*start the newer version/
      assertRefused(await runOn(service, args, { input: '' }), message)
    }
  })
})

describe('doctor', () => {
  test('0 and one line for each thing that is well', async () => {
    await using service = await start()
    await service.addAdmin()

    const { exitCode, stdout, stderr } = await runOn(service, ['doctor'])

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
    const sqlite = `sqlite:///${folder.path}`
    const postgres = `postgresql://ann:${CANARY}@127.0.0.1:1/shop`
    const databaseUrl = DATABASE === 'sqlite' ? sqlite : postgres

    const { exitCode, stdout, stderr } = await runOn({ databaseUrl }, ['doctor'])

    assert.equal(exitCode, 1)
    assert.match(stdout, /^FAIL DATABASE_URL: the /m)
    assert.doesNotMatch(stdout + stderr, new RegExp(CANARY))
  })

  test('1 for pending migrations, a warning for no admin', async () => {
    await using service = await start()
    const noAdmin = await runOn(service, ['doctor'])
    await service.ctx.transaction((tx) => sql`delete from coffee_shop_migrations`.execute(tx))
    const pending = await runOn(service, ['doctor'])

    assert.equal(noAdmin.exitCode, 0)
    assert.match(noAdmin.stdout, /^warn no admin yet: npm run cli -- users create/m)
    assert.equal(pending.exitCode, 1)
    assert.match(pending.stdout, /^FAIL migrations pending: 0001-initial/m)
  })
})

// Their SQL is that of endpoints, whose tests run it on both databases.
if (DATABASE === 'sqlite') {
  describe('users create', () => {
    test('0 makes a verified admin whose password was read from standard input', async () => {
      await using service = await start()

      const created = await runOn(
        service,
        ['users', 'create', 'Boss@example.com', '--role', 'admin', '--name', 'The Boss'],
        { input: `${PASSWORD}\r\nnot this\r\n` },
      )

      const [user] = linesOf(created)
      assert.equal(user.email, 'Boss@example.com')
      assert.equal(user.role, 'admin')
      assert.equal(user.full_name, 'The Boss')
      assert.equal(user.is_verified, true)
      const { access: token } = await service.logIn('boss@example.com')
      assert.equal((await service.get(USERS, { token })).status, 200)
    })

    test('0 takes the place of an account that nobody verified in time', async () => {
      await using service = await start()
      await service.signUp(ANN)
      await service.ctx.transaction((tx) =>
        tx
          .updateTable('users')
          .set({ created_at: toIso(Date.now() - 49 * HOUR_MS) })
          .execute(),
      )

      const created = await runOn(service, ['users', 'create', ANN], { input: PASSWORD })

      const messages = await rowsOf(service.ctx, 'outbox')
      assert.equal(linesOf(created)[0].is_verified, true)
      assert.ok(messages.length > 0 && !JSON.stringify(messages).includes(ANN))
    })

    describe('refused', () => {
      let service: Service
      before(async () => {
        service = await start()
        await service.addUser(ANN)
      })
      after(() => service[Symbol.asyncDispose]())

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
        ['a well-known password', 'bob@example.com', 'password123', [], /too common/],
        [
          'an admin’s password that repeats itself',
          'bob@example.com',
          'aaaaaaaaaaaaaaa',
          ['--role', 'admin'],
          /easy to guess/,
        ],
        [
          'a name with a line break',
          'bob@example.com',
          PASSWORD,
          ['--name', 'Bob\nx'],
          /^validation_failed/,
        ],
      ] as const) {
        test(`1 for ${why}, and nothing is made`, async () => {
          assertRefused(
            await runOn(service, ['users', 'create', email, ...args], { input }),
            message,
          )

          assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
        })
      }
    })
  })

  describe('users', () => {
    test('0 list prints one JSON object per line, filtered, and show prints one by id or by address', async () => {
      await using service = await start()
      const ann = await service.addUser(ANN)
      const boss = await service.addAdmin('boss@example.com')
      const shown = (await service.get('/api/v1/me', { token: ann.access })).body

      const emails = async (...args: string[]) =>
        linesOf(await runOn(service, ['users', 'list', ...args])).map(({ email }) => email)
      const show = (key: string) => runOn(service, ['users', 'show', key])

      assert.deepEqual(await emails(), [ann.email, boss.email])
      assert.deepEqual(await emails('--role', 'admin'), [boss.email])
      assert.deepEqual(await emails('--q', 'ANN@'), [ann.email])
      for (const key of [String(ann.id), 'ANN@example.com'])
        assert.deepEqual(linesOf(await show(key)), [shown])
      for (const key of ['nobody@example.com', '9007199254740993'])
        assertRefused(await show(key), /^not_found/)
    })

    test('1 not_found, and which, for an unknown id or address', async () => {
      await using service = await start()
      for (const [args, message] of [
        [
          ['users', 'delete', 'nobody@example.com'],
          /^not_found: There is no user nobody@example\.com\.\n$/,
        ],
        [['users', 'show', CANARY], /^not_found: The requested resource was not found\.\n$/],
        [['sessions', 'end', '--user', '4711'], /^not_found: There is no user 4711\.\n$/],
      ] as const)
        assertRefused(await runOn(service, args), message)
    })

    test('0 set-role, disable, enable, delete: changes that the API sees at the next request', async () => {
      await using service = await start()
      const run = (...args: string[]) => runOn(service, ['users', ...args])
      const ann = await service.addUser(ANN)
      await service.addAdmin()
      const list = () => service.get(USERS, { token: ann.access })

      assert.equal(linesOf(await run('set-role', ann.email, 'admin'))[0].role, 'admin')
      assert.equal((await list()).status, 200)

      assert.equal(linesOf(await run('disable', String(ann.id)))[0].disabled, true)
      assertProblem(await list(), 'invalid_token')
      assertRefused(await run('set-role', '999', 'admin'), /^not_found/)

      assert.equal(linesOf(await run('enable', ann.email))[0].disabled, false)
      assertProblem(await list(), 'invalid_token')
      await service.logIn(ann.email)

      assertDone(await run('delete', ann.email), `Deleted user ${ann.id}.\n`)
      assertRefused(await run('delete', ann.email), /^not_found/)
    })

    test('1 last_admin for each way to lose the last admin', async () => {
      await using service = await start()
      const boss = await service.addAdmin()

      for (const args of [
        ['set-role', boss.email, 'user'],
        ['disable', boss.email],
        ['delete', boss.email],
      ])
        assertRefused(await runOn(service, ['users', ...args]), /^last_admin/)

      assert.equal((await service.get(USERS, { token: boss.access })).status, 200)
    })

    test('1 user_inactive for promoting somebody unverified', async () => {
      await using service = await start()
      await service.signUp(ANN)

      assertRefused(await runOn(service, ['users', 'set-role', ANN, 'admin']), /^user_inactive/)
    })
  })

  describe('mail', () => {
    /** With one message that bounced and one that was sent. */
    async function startWithMail() {
      const service = await start()
      await service.registerUser('sent@example.com')
      const { id } = await failedMail(service, ANN)
      const run = (...args: string[]) => runOn(service, ['mail', ...args])
      return { service, id, run, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
    }

    test('0 list prints a line for each message, or for those of a state and kind', async () => {
      await using program = await startWithMail()

      const all = await program.run('list')
      const bounced = await program.run('list', '--state', 'bounced')
      const none = await program.run('list', '--state', 'dead', '--kind', 'verification')

      assert.deepEqual(
        linesOf(all)
          .map((mail) => `${mail.kind} ${mail.state}`)
          .toSorted(),
        ['reminder waiting', 'reminder waiting', 'verification bounced', 'verification sent'],
      )
      assert.deepEqual(
        linesOf(bounced).map((mail) => [mail.id, mail.recipient]),
        [[program.id, ANN]],
      )
      assertDone(none, '')
      assert.doesNotMatch(all.stdout, /payload|signUpId/)
    })

    test('0 show prints a message, without what it is made of', async () => {
      await using program = await startWithMail()

      const [mail] = linesOf(await program.run('show', program.id))

      assert.deepEqual([mail.state, mail.recipient], ['bounced', ANN])
      assert.match(mail.last_error, /^550 /)
      assert.equal(mail.payload, undefined)
    })

    test('0 resend lets it wait again, and records that an operator did it', async () => {
      await using program = await startWithMail()
      const { service } = program

      const resent = await program.run('resend', program.id)
      const again = await program.run('resend', program.id)

      assert.equal(linesOf(resent)[0].state, 'waiting')
      assertRefused(again, /^mail_not_failed: /)
      service.clock.nowMs = Date.now()
      await service.deliverMail()
      assert.ok((await outboxRows(service)).every((row) => row.state === 'sent'))
      const events = await eventsOf(service, 'mail.resent')
      assert.deepEqual(
        events.map((event) => event.actor_id),
        [null],
      )
    })

    test('0 resend --state sends all of that state again, the bounced only with --yes', async () => {
      await using program = await startWithMail()
      const { service } = program
      const dead = await failedMail(service, 'bob@example.com')
      await service.ctx.transaction((tx) =>
        tx.updateTable('outbox').set({ state: 'dead' }).where('id', '=', dead.id).execute(),
      )

      const refused = await program.run('resend', '--state', 'bounced')
      const other = await program.run('resend', '--state', 'dead', '--kind', 'reminder')
      const all = await program.run('resend', '--state', 'dead')
      const bounced = await program.run('resend', '--state', 'bounced', '--yes')

      assert.deepEqual(
        [other, all].map(({ stderr }) => /^Queued .*$/m.exec(stderr)?.[0]),
        ['Queued 0 messages for redelivery.', 'Queued 1 message for redelivery.'],
      )
      assert.deepEqual([refused.exitCode, refused.stdout], [2, ''])
      assert.match(refused.stderr, /--yes/)
      const ids = [other, all, bounced].map((finished) => linesOf(finished).map(({ id }) => id))
      assert.deepEqual(ids, [[], [dead.id], [program.id]])
      const rows = await outboxRows(service)
      assert.ok(rows.every((row) => row.state === 'waiting' || row.state === 'sent'))
      assert.equal((await eventsOf(service, 'mail.resent')).length, 2)
    })

    test('1 not_found for an unknown message', async () => {
      await using service = await start()

      const message = new RegExp(`^not_found: There is no message ${UNKNOWN}\\.\n$`)
      for (const name of ['show', 'resend'])
        assertRefused(await runOn(service, ['mail', name, UNKNOWN]), message)
    })
  })

  describe('keys rotate', () => {
    /** With a key file that is not there yet. */
    async function startWithoutKeys() {
      const service = await startService()
      const folder = temporaryFolder()
      const path = join(folder.path, 'keys.json')
      const settings = { ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY_FILE: path }
      return {
        path,
        rotate: (options: object = {}) =>
          runOn(service, ['keys', 'rotate'], { settings, ...options }),
        events: () => eventsOf(service, 'key.rotated'),
        async [Symbol.asyncDispose]() {
          folder[Symbol.dispose]()
          await service[Symbol.asyncDispose]()
        },
      }
    }

    test('0 makes the file, then adds a key that signs in half an hour, and records each', async () => {
      await using command = await startWithoutKeys()
      const startedAt = Date.now()

      const runs = [await command.rotate(), await command.rotate(), await command.rotate()]

      const [first = [], second = [], third] = runs.map(linesOf)
      assert.equal(first.length, 1)
      assert.equal(first[0]?.alg, 'EdDSA')
      assert.deepEqual(second.slice(0, 1), first)
      assert.deepEqual(third, second)
      assert.match(runs[2]?.stderr ?? '', /^The next key is already published/)
      const aheadMs = Date.parse(second[1]?.signs_from ?? '') - startedAt
      assert.ok(aheadMs >= 30 * MINUTE_MS && aheadMs < 32 * MINUTE_MS, `${aheadMs} ms`)

      const { keys } = loadSigningKeys(command.path, 'EdDSA')
      assert.deepEqual(
        keys.map(({ kid }) => kid),
        second.map(({ kid }) => kid),
      )
      const events = await command.events()
      assert.deepEqual(
        events.map(({ changes }) => JSON.parse(changes)),
        second,
      )
      const told = JSON.stringify([runs, events])
      for (const { privateKey } of keys) {
        const { d = '' } = privateKey.export({ format: 'jwk' })
        assert.ok(d.length > 40 && !told.includes(d))
      }
    })

    test('1 for a file that holds something else: it stays as it is, and nothing is recorded', async () => {
      await using command = await startWithoutKeys()
      writeFileSync(command.path, CANARY)

      const finished = await command.rotate({ input: '' })

      assertRefused(finished, /JWT_PRIVATE_KEY_FILE names a file that holds neither a private key/)
      assert.doesNotMatch(finished.stderr, /canary|^ +at /m)
      assert.equal(readFileSync(command.path, 'utf8'), CANARY)
      assert.deepEqual(await command.events(), [])
    })
  })
}
