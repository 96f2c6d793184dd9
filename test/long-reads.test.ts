import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import { withBudget } from '../server/database/budget.ts'
import type { Context } from '../server/context.ts'
import { openSqlite } from '../server/database/sqlite.ts'
import { AppError } from '../server/errors.ts'
import { newId } from '../server/lib/random.ts'
import { MINUTE_MS } from '../server/lib/units.ts'
import { DATABASE } from './support/database.ts'
import { temporaryFolder } from './support/process.ts'
import { times } from './support/races.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'
import { until } from './support/until.ts'

const isUnavailable = (error: unknown) =>
  error instanceof AppError && error.code === 'database_unavailable'

/** Of `Élodie` and others; SQLite's own lower() folds ASCII only. */
const findByName = ({ longReads }: Context, name: string) =>
  longReads
    .selectFrom('users')
    .select(['id', 'full_name', 'verified_at', 'disabled_at'])
    .where(sql<string>`lower(full_name)`, 'like', `%${name}%`)
    .orderBy('id')
    .execute()

/** Takes the database a second or so, and gives one row. */
const readLong = ({ longReads }: Context) =>
  longReads
    .selectNoFrom(
      sql<number>`(with recursive numbers(n) as (
        select 1 union all select n + 1 from numbers where n < 3000000) select count(*) from numbers)`.as(
        'count',
      ),
    )
    .execute()

/** Of a busy machine, a long read may ask more time than a job has for a statement. */
const patiently = <Result>(work: () => Result): Result =>
  withBudget({ remainingMs: 5 * MINUTE_MS }, work)

describe('long reads', () => {
  test('give the rows that other reads give', async () => {
    await using service = await startService()
    const { ctx } = service
    await service.addUser('a@example.com', undefined, 'Élodie')
    await service.addUser('b@example.com', undefined, 'Bob')
    await service.addUser('c@example.com')

    const found = await findByName(ctx, 'élo')
    const [all, expected] = await Promise.all(
      [ctx.longReads, ctx.db].map((db) =>
        db.selectFrom('users').selectAll().orderBy('id').execute(),
      ),
    )

    assert.deepEqual(
      found.map(({ full_name }) => full_name),
      ['Élodie'],
    )
    assert.equal(JSON.stringify(all), JSON.stringify(expected))
  })

  test('see what was committed before, and many at once each get their own', async () => {
    await using service = await startService()
    await findByName(service.ctx, 'nobody')
    const ids: number[] = []
    for (const name of ['Ann', 'Bob', 'Cy'])
      ids.push((await service.addUser(undefined, undefined, name)).id)

    const found = await Promise.all(
      times(30).map((n) => findByName(service.ctx, ['ann', 'bob', 'cy'][n % 3] ?? '')),
    )

    assert.deepEqual(
      found.map((rows) => rows.map(({ id }) => id)),
      times(30).map((n) => [ids[n % 3]]),
    )
  })

  test('pass on the error of a statement, and go on', async () => {
    await using service = await startService()
    const { longReads } = service.ctx

    const wrong = longReads
      .selectFrom('users')
      .select(sql`no_such_function(id)`.as('x'))
      .execute()

    await assert.rejects(wrong, /no_such_function/)
    assert.deepEqual(await findByName(service.ctx, 'x'), [])
  })

  test('are refused inside a transaction', async () => {
    await using service = await startService()

    const inside = service.ctx.transaction(() => findByName(service.ctx, 'x'))

    await assert.rejects(inside, /inside a transaction; use tx/)
  })

  test('503 database_unavailable when the budget of the request is spent; later ones succeed', async () => {
    await using service = await startService()

    const spent = withBudget({ remainingMs: 20 }, () => readLong(service.ctx))

    await assert.rejects(spent, isUnavailable)
    assert.deepEqual(await patiently(() => findByName(service.ctx, 'x')), [])
  })
})

if (DATABASE === 'sqlite') {
  /** The thread that `work` starts. */
  async function threadOf(work: () => Promise<unknown>): Promise<Worker> {
    const { promise, resolve } = Promise.withResolvers<Worker>()
    process.once('worker', resolve)
    await Promise.all([promise, work()])
    return promise
  }

  describe('the thread for long reads on SQLite', () => {
    test('leaves the event loop free', async () => {
      await using service = await startService()
      const ann = await service.addUser()
      let isDone = false

      const reading = patiently(() => readLong(service.ctx)).finally(() => (isDone = true))
      const answers = times(20).map(() => service.get('/api/v1/me', { token: ann.access }))
      for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)

      assert.equal(isDone, false)
      assert.deepEqual(await reading, [{ count: 3_000_000 }])
    })

    test('is not started before the first of them', async () => {
      let started = 0
      const count = () => void started++
      process.on('worker', count)
      await using service = await startService()
      await service.registerUser()
      process.off('worker', count)

      assert.equal(started, 0)
    })

    test('cannot write', async () => {
      await using service = await startService()
      await seedUsers(service.ctx, 1, { createdAtMs: 0 })

      const writing = sql`delete from users`.execute(service.ctx.longReads as never)

      await assert.rejects(writing, isUnavailable)
      assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
    })

    test('is replaced when it has ended; what it was reading is 503', async () => {
      await using service = await startService()
      const thread = await threadOf(() => findByName(service.ctx, 'x'))

      const reading = patiently(() =>
        Promise.allSettled([readLong(service.ctx), findByName(service.ctx, 'x')]),
      )
      await thread.terminate()
      const [cut, queued] = await reading

      assert.ok(cut.status === 'rejected' && isUnavailable(cut.reason))
      assert.equal(queued.status, 'fulfilled')
    })

    test('ends with the database, and what it was reading or would read next is 503', async () => {
      const service = await startService()
      const reading = patiently(() =>
        Promise.allSettled([readLong(service.ctx), findByName(service.ctx, 'x')]),
      )
      await service.get('/health')

      await service[Symbol.asyncDispose]()

      for (const outcome of await reading)
        assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
    })
  })

  /** The pages in the WAL, and how many of them are not yet in the file; writes nothing. */
  function walOf({ databaseUrl }: Service): { pages: number; left: number } {
    const index = readFileSync(`${databaseUrl.slice('sqlite:///'.length)}-shm`)
    const [pages, copied] = [index.readUInt32LE(16), index.readUInt32LE(96)]
    return { pages, left: pages - copied }
  }
  const PADDING = 'x'.repeat(3000)
  /** Commits more than a thousand pages. */
  const writePages = ({ ctx }: Service) =>
    ctx.transaction(async (tx) => {
      for (const _ of times(8))
        await tx
          .insertInto('code_failures')
          .values(
            times(200).map(() => ({
              email_canonical: newId(),
              purpose: 'verify' as const,
              times: PADDING,
            })),
          )
          .execute()
    })

  describe('checkpoints on SQLite', () => {
    test('copy the WAL into the file on the thread, and the next write begins it anew', async () => {
      await using service = await startService()
      await writePages(service)
      const first = walOf(service)

      await until('a checkpoint', () => walOf(service).left === 0)
      await service.addUser()

      assert.ok(first.pages > 1000, `${first.pages} pages`)
      assert.ok(walOf(service).pages < 100, `${walOf(service).pages} pages`)
    })

    test('are waited for by background work, which therefore never outruns them', async () => {
      await using service = await startService()

      for (const _ of times(10)) await writePages(service)

      assert.ok(walOf(service).pages < 5000, `${walOf(service).pages} pages`)
    })

    test('are waited for by requests only once the WAL is long', async () => {
      await using service = await startService()
      let longest = 0

      for (const _ of times(15)) {
        await patiently(() => writePages(service))
        longest = Math.max(longest, walOf(service).pages)
      }

      assert.ok(longest < 20_000, `${longest} pages`)
    })

    test('are waited for by background work without its turn, which requests take', async () => {
      await using service = await startService()
      const { ctx } = service
      const order: string[] = []
      const write = async (name: string) => {
        await ctx.transaction(async () => {})
        order.push(name)
      }
      const reading = patiently(() => Promise.all(times(3).map(() => readLong(ctx))))
      await writePages(service)

      const inBackground = write('background')
      await patiently(() => write('request'))
      await Promise.all([inBackground, reading])

      assert.deepEqual(order, ['request', 'background'])
    })

    test(
      'end with the database, which keeps its locks to the last',
      {
        // Elsewhere, nobody tells which locks there are.
        skip: !existsSync('/proc/locks'),
      },
      async () => {
        using folder = temporaryFolder()
        const index = join(folder.path, 'app.db-shm')
        const backend = openSqlite(join(folder.path, 'app.db'))
        const lock = new RegExp(` ${process.pid} [^ ]*:${statSync(index).ino} `)
        const isLocked = () => lock.test(readFileSync('/proc/locks', 'utf8'))
        assert.ok(isLocked())
        let isClosed = false

        const closing = backend.close().finally(() => (isClosed = true))
        while (!isClosed) {
          if (existsSync(index)) assert.ok(isLocked(), 'another process would begin the index anew')
          await Promise.resolve()
        }
        await closing
      },
    )

    test('that fail are left to a later one', async () => {
      await using service = await startService()
      const thread = await threadOf(() => findByName(service.ctx, 'x'))
      const reading = readLong(service.ctx).catch(() => 'cut')

      const writing = writePages(service)
      await thread.terminate()
      await Promise.all([writing, reading])
      await writePages(service)

      await until('a checkpoint', () => walOf(service).left === 0)
    })
  })
}
