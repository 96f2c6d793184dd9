import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { withBudget } from '../server/database/budget.ts'
import type { Statement } from '../server/database/connect.ts'
import { MINUTE_MS, toIso } from '../server/lib/units.ts'
import { DATABASE } from './support/database.ts'
import { assertProblem } from './support/problem.ts'
import { times } from './support/races.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

const WRITERS = 1500
/** SQLite's default. */
const PAGE_BYTES = 4096

const fileOf = (service: Service) => service.databaseUrl.slice('sqlite:///'.length)

/** Somebody else who holds the only write lock, as a backup or a shell does. */
function lockFile(service: Service): { release(): void; [Symbol.dispose](): void } {
  const other = new DatabaseSync(fileOf(service), { timeout: 5000 })
  other.exec('begin immediate')
  const release = () => {
    if (other.isOpen) other.close()
  }
  return { release, [Symbol.dispose]: release }
}

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 'database_unavailable')
  const retryAfterS = Number(answer.headers['retry-after'])
  assert.ok(retryAfterS >= 1 && retryAfterS <= 3)
}

const writes = (service: Service, token: string) =>
  [
    () => service.post('/api/v1/auth/signup', { email: 'new@example.com', password: PASSWORD }),
    () => service.post('/api/v1/auth/verify', { email: 'ann@example.com', code: '000000' }),
    () => service.post('/api/v1/auth/verify/resend', { email: 'ann@example.com' }),
    () => service.post('/api/v1/auth/login', { email: 'ann@example.com', password: PASSWORD }),
    () => service.post('/api/v1/auth/logout', undefined, { token }),
    () => service.patch('/api/v1/me', { full_name: 'Ann' }, { token }),
  ] as const

/** Lets the database grow to so many pages and no further, as a disk that is full. */
function limitPages({ ctx }: Service, pages: number) {
  return ctx.transaction((tx) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(tx))
}

/** How many commits the WAL has: frames that say the size of the database, https://www.sqlite.org/walformat.html. */
function countCommits(service: Service): number {
  const wal = readFileSync(`${fileOf(service)}-wal`)
  let commits = 0
  for (let at = 32; at < wal.length; at += 24 + PAGE_BYTES)
    if (wal.readUInt32BE(at + 4) > 0) commits++
  return commits
}

/** Commits by itself. A user with such a name must not exist: it fails where it is called twice. */
const addNamed: Statement<{ email: string; at: string }, { id: number }> = {
  name: 'test_add_named',
  build: (tx, { email, at }) =>
    tx
      .insertInto('users')
      .values({ email, email_canonical: email, role: 'user', created_at: at, updated_at: at })
      .returning('id'),
}

if (DATABASE === 'sqlite') {
  describe('statements that commit by themselves, in one turn of the event loop', () => {
    const add = ({ ctx }: Service, name: string) =>
      ctx.autocommit(addNamed, { email: `${name}@example.com`, at: toIso(ctx.now()) })
    const emails = async ({ ctx }: Service) =>
      (await ctx.db.selectFrom('users').select('email').orderBy('id').execute()).map(
        ({ email }) => email.split('@')[0],
      )

    test('share one commit, a hundred of them at most', async () => {
      await using service = await startService()
      const before = countCommits(service)

      await Promise.all(times(101).map((n) => add(service, `user${n}`)))

      assert.equal(countCommits(service) - before, 2)
      assert.equal((await emails(service)).length, 101)
    })

    test('fail each by itself', async () => {
      await using service = await startService()

      const added = await Promise.allSettled(
        ['ann', 'ben', 'ann', 'cleo'].map((name) => add(service, name)),
      )

      assert.deepEqual(
        added.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
      )
      assert.deepEqual(await emails(service), ['ann', 'ben', 'cleo'])
    })

    test('wait on their own budgets, for the file and for those before them', async () => {
      await using service = await startService()
      const { transaction } = service.ctx
      using lock = lockFile(service)
      const within = (remainingMs: number, caller: string, name: string) =>
        withBudget({ remainingMs, caller }, () => add(service, name))

      const [short, long] = [within(20, 'ann', 'ann'), within(MINUTE_MS, 'ben', 'ben')]
      await assert.rejects(short, { code: 'database_unavailable' })
      lock.release()
      await long

      assert.deepEqual(await emails(service), ['ben'])

      // Many of one caller, and in the same turn two statements, of which the first is the same caller’s.
      let done = 0
      const slow = async () => {
        await nextTurn()
        done++
      }
      const many = times(50).map(() =>
        withBudget({ remainingMs: MINUTE_MS, caller: 'many' }, () => transaction(slow)),
      )
      const behind = within(MINUTE_MS, 'many', 'cleo')
      await within(MINUTE_MS, 'dora', 'dora')
      assert.ok(done < 25, `${done} went before`)
      await Promise.all([...many, behind])
    })

    test('all fail with database_unavailable where the disk is full, and leave nothing', async () => {
      await using service = await startService()
      await limitPages(service, 1)

      const added = await Promise.allSettled(
        ['ann', 'x'.repeat(2 * PAGE_BYTES), 'ben'].map((name) => add(service, name)),
      )

      for (const { status, reason } of added as PromiseRejectedResult[])
        assert.deepEqual([status, reason.code], ['rejected', 'database_unavailable'])
      assert.deepEqual(await emails(service), [])
      await limitPages(service, 1_000_000)
      assert.equal((await add(service, 'cleo')).length, 1)
    })
  })

  describe('a SQLite file that somebody else has locked', () => {
    test('is tried again without stopping the event loop until it is free', async () => {
      await using service = await startService()
      const ann = await service.addUser('ann@example.com')
      using lock = lockFile(service)
      let answered = false

      const writing = service.patch('/api/v1/me', { full_name: 'Ann' }, { token: ann.access })
      void writing.then(() => (answered = true))
      // Each of these takes turns of the event loop, and reads go on beside the lock.
      for (let n = 0; n < 50; n++) {
        assert.equal((await service.get('/health')).status, 200)
        assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
      }
      const answeredWhileLocked = answered
      lock.release()
      const answer = await writing

      assert.equal(answeredWhileLocked, false)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.body.full_name, 'Ann')
    })

    test('503 with Retry-After for every write once the budget is spent, and nothing is left of them', async () => {
      await using service = await startService({}, { requestBudgetMs: 300 })
      const ann = await service.addUser('ann@example.com')
      using lock = lockFile(service)

      const answers = await Promise.all(writes(service, ann.access).map((write) => write()))

      for (const answer of answers) assertUnavailable(answer)
      lock.release()
      const users = await service.ctx.db.selectFrom('users').select('full_name').execute()
      assert.deepEqual(
        users.map((user) => user.full_name),
        [null],
      )
      assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
    })

    test(`${WRITERS} writers at once all give up when their budgets are spent`, async () => {
      await using service = await startService()
      using lock = lockFile(service)

      const write = () =>
        withBudget({ remainingMs: 300 }, () => service.ctx.transaction(async () => {}))
      const outcomes = await Promise.allSettled(times(WRITERS).map(write))
      lock.release()

      const codes = new Set(outcomes.map((outcome) => 'reason' in outcome && outcome.reason.code))
      assert.deepEqual([...codes], ['database_unavailable'])
    })
  })

  describe('a SQLite file on a full disk', () => {
    test('503 for what needs room, 200 for reads, and 201 as soon as there is room', async () => {
      await using service = await startService()
      const ann = await service.addUser('ann@example.com')
      let made = 1
      const signUp = () => {
        const email = `user${made}@example.com`
        return service.post('/api/v1/auth/signup', { email, password: PASSWORD })
      }

      // Never fewer than there are; of these, the empty ones are filled first.
      await limitPages(service, 1)
      let refused = await signUp()
      while (refused.status === 201 && ++made < 1000) refused = await signUp()
      const me = await service.get('/api/v1/me', { token: ann.access })
      const again = await signUp()
      await limitPages(service, 1_000_000)
      const accepted = await signUp()

      assertUnavailable(refused)
      assertUnavailable(again)
      assert.equal(me.status, 200)
      assert.equal(accepted.status, 201, accepted.text)
      const users = await service.ctx.db.selectFrom('users').select('id').execute()
      assert.equal(users.length, made + 1)
    })
  })

  describe('a SQLite file that is', () => {
    for (const [what, damage] of [
      ['removed', (file: string) => renameSync(file, `${file}.away`)],
      [
        'replaced by a copy',
        (file: string) => {
          renameSync(file, `${file}.away`)
          copyFileSync(`${file}.away`, file)
        },
      ],
    ] as const) {
      test(`${what} while open: 503 for every write, not ready, never made anew; heals when put back`, async () => {
        await using service = await startService()
        const ann = await service.addUser('ann@example.com')
        const file = fileOf(service)
        damage(file)
        const before = existsSync(file) ? readFileSync(file) : undefined

        for (const write of writes(service, ann.access)) assertUnavailable(await write())
        const ready = await service.get('/ready')
        const after = existsSync(file) ? readFileSync(file) : undefined

        assert.equal(ready.status, 503)
        assert.equal(ready.body.checks.database, 'unavailable')
        assert.deepEqual(after, before)
        assert.ok(service.logged.some((line) => line.includes('was replaced or removed')))
        rmSync(file, { force: true })
        renameSync(`${file}.away`, file)
        assert.equal((await service.get('/ready')).status, 200)
        const patched = await service.patch('/api/v1/me', {}, { token: ann.access })
        assert.equal(patched.status, 200)
      })
    }

    test('corrupted: 503 for reads and writes, never a 500 and never a wrong answer', async () => {
      await using service = await startService()
      const ann = await service.addUser('ann@example.com')
      const file = fileOf(service)
      const other = new DatabaseSync(file)
      other.exec('pragma wal_checkpoint(truncate)')
      // Not those of the schema: without it the file does not even open.
      const pages = other.prepare('select rootpage from sqlite_schema where rootpage > 1').all()
      other.close()
      const bytes = readFileSync(file)
      for (const page of pages) {
        const end = Number(page['rootpage']) * PAGE_BYTES
        bytes.fill(0xa5, end - PAGE_BYTES, end)
      }
      writeFileSync(file, bytes)
      await using replica = await startService({}, { replicaOf: service })

      const read = await replica.get('/api/v1/me', { token: ann.access })
      const written = await Promise.all(writes(replica, ann.access).map((write) => write()))

      for (const answer of [read, ...written]) assertUnavailable(answer)
    })
  })
}
