import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { REQUEST_BUDGET_MS, withBudget } from '../server/database/budget.ts'
import { withContext } from '../server/cli/terminal.ts'
import type { Context } from '../server/context.ts'
import { type Query, run, type Statement, type Tx } from '../server/database/connect.ts'
import { AppError } from '../server/errors.ts'
import { SECOND_MS } from '../server/lib/units.ts'
import { userById } from '../server/accounts/users.ts'
import { DATABASE } from './support/database.ts'
import { startReplicas } from './support/races.ts'
import { startService } from './support/service.ts'

const INSIDE = /inside a transaction; use tx/

const isUnavailable = (error: unknown) =>
  error instanceof AppError && error.code === 'database_unavailable'

/** A value that transactions read and write: anybody's name will do. */
const readName = async (tx: Parameters<Parameters<Context['transaction']>[0]>[0], id: number) => {
  const row = await tx.selectFrom('users').select('full_name').where('id', '=', id).execute()
  return row[0]?.full_name ?? ''
}

describe('transaction()', () => {
  test('refuses a read outside of the transaction’s own handle, a look-up and a second write', async () => {
    await using service = await startService()
    const { ctx } = service
    const { id } = await service.addUser()

    const outsiders: readonly (() => Promise<unknown>)[] = [
      () => ctx.db.selectFrom('users').select('id').execute(),
      () => ctx.lookUp(userById, id),
      () => run(ctx.db, userById, id),
      () => ctx.autocommit(userById, id),
      () => ctx.transaction(async () => undefined),
    ]
    for (const outside of outsiders) await assert.rejects(ctx.transaction(outside), INSIDE)

    // Refused there, and only there.
    assert.equal((await ctx.lookUp(userById, id))?.id, id)
    assert.equal(await ctx.transaction(async (tx) => (await readName(tx, id)).length), 0)
  })

  test('leaves nothing of a transaction that threw, and passes its error on as it is', async () => {
    await using service = await startService()
    const { id } = await service.addUser()
    const reason = new Error('changed my mind')

    const failed = service.ctx.transaction(async (tx) => {
      await tx.updateTable('users').set({ full_name: 'Half' }).where('id', '=', id).execute()
      throw reason
    })

    await assert.rejects(failed, (error) => error === reason)
    assert.equal((await service.ctx.lookUp(userById, id))?.full_name, null)
  })

  test('a read outside sees nothing of an open transaction', async () => {
    await using service = await startService()
    const { id } = await service.addUser()
    const opened = Promise.withResolvers<void>()
    const mayEnd = Promise.withResolvers<void>()

    const writing = service.ctx.transaction(async (tx) => {
      await tx.updateTable('users').set({ full_name: 'Open' }).where('id', '=', id).execute()
      opened.resolve()
      await mayEnd.promise
    })
    await opened.promise
    const during = await service.ctx.lookUp(userById, id)
    mayEnd.resolve()
    await writing

    assert.equal(during?.full_name, null)
    assert.equal((await service.ctx.lookUp(userById, id))?.full_name, 'Open')
  })

  test('gives up with database_unavailable on what fails again and again, once the budget is used up', async () => {
    await using service = await startService()
    // Connecting is not what the budget is for.
    await service.ctx.checkDatabase()
    const budget = { remainingMs: 300 }
    let tries = 0

    const failed = withBudget(budget, () =>
      service.ctx.transaction(async () => {
        tries++
        throw transientError()
      }),
    )

    await assert.rejects(failed, isUnavailable)
    // Timers count in whole milliseconds.
    assert.ok(tries > 1 && budget.remainingMs < 1, `${tries} tries, ${budget.remainingMs} ms left`)
  })
})

test('a request has two seconds of database, unless the context says otherwise', () =>
  withContext({ DATABASE_URL: 'sqlite:///:memory:' }, async ({ requestBudgetMs }) =>
    assert.equal(requestBudgetMs, 2 * SECOND_MS),
  ))

describe('a prepared statement', () => {
  const MANY: Query<{ from: number; name: string }, { id: number }> = {
    name: 'test_many',
    build: (db, { from, name }) =>
      db
        .selectFrom('users')
        .select('id')
        .where('id', '>=', from)
        .where((eb) => eb.or([eb('full_name', '=', name), eb('email', '!=', name)]))
        .orderBy('id')
        .limit(2),
  }
  const RENAME: Statement<{ id: number; from: string | null; to: string }, { id: number }> = {
    name: 'test_rename',
    build: (tx, { id, from, to }) =>
      tx
        .updateTable('users')
        .set({ full_name: to })
        .where('id', '=', id)
        .where((eb) => eb('full_name', 'is not distinct from', from))
        .returning('id'),
  }
  const nameOf = async ({ ctx }: { ctx: Context }, id: number) =>
    (await ctx.lookUp(userById, id))?.full_name

  test('puts each value where its name stands, and leaves constants where they are', async () => {
    await using service = await startService()
    const users = [await service.addUser(), await service.addUser(), await service.addUser()]
    const ids = users.map(({ id }) => id)
    const read = (from = 0) => run(service.ctx.db, MANY, { from, name: 'Nobody' })

    const [all, later] = [await read(), await read(ids[2])]

    assert.deepEqual(
      [all.map(({ id }) => id), later.map(({ id }) => id)],
      [ids.slice(0, 2), ids.slice(2)],
    )
    assert.equal((await service.ctx.lookUp(MANY, { from: 0, name: '' }))?.id, ids[0])
  })

  test('that the database refuses says in its stack who asked', async () => {
    await using service = await startService()
    const wrong: Query<number, unknown> = {
      name: 'test_wrong',
      build: (db, id) =>
        db.selectFrom('users').select(sql.ref('nonsense').as('it')).where('id', '=', id),
    }

    const refused = run(service.ctx.db, wrong, 1)

    await assert.rejects(refused, ({ stack }: Error) =>
      /server\/database\/connect\.ts/.test(stack ?? ''),
    )
  })

  test('within a transaction sees what that has written, and is rolled back with it', async () => {
    await using service = await startService()
    const { id } = await service.addUser()

    const failed = service.ctx.transaction(async (tx) => {
      for (const [from, to] of [
        [null, 'One'],
        ['One', 'Two'],
      ] as const)
        assert.equal((await run(tx, RENAME, { id, from, to })).length, 1)
      assert.equal(await readName(tx, id), 'Two')
      throw new Error('changed my mind')
    })

    await assert.rejects(failed, /changed my mind/)
    assert.equal(await nameOf(service, id), null)
  })

  test('that commits by itself has happened once it is answered, for one of many', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { id } = await first.addUser()

    const renamed = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        replicas.pair[n % 2 ? 1 : 0].ctx.autocommit(RENAME, { id, from: null, to: `${n}` }),
      ),
    )

    const winner = renamed.findIndex((rows) => rows.length === 1)
    assert.equal(renamed.filter((rows) => rows.length > 0).length, 1)
    assert.equal(await nameOf(second, id), `${winner}`)
  })

  test('that commits by itself gives up with database_unavailable on a lock that stays', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { id } = await first.addUser()
    await second.ctx.checkDatabase()
    const locked = Promise.withResolvers<void>()
    const mayEnd = Promise.withResolvers<void>()
    const locking = first.ctx.transaction(async (tx) => {
      await run(tx, RENAME, { id, from: null, to: 'First' })
      locked.resolve()
      await mayEnd.promise
    })
    await locked.promise

    const refused = withBudget({ remainingMs: 300 }, () =>
      second.ctx.autocommit(RENAME, { id, from: null, to: 'Second' }),
    )

    await assert.rejects(refused, isUnavailable)
    mayEnd.resolve()
    await locking
    assert.equal(await nameOf(second, id), 'First')
  })
})

describe('transactions that collide', () => {
  test('each of 20 read-and-write increments over two replicas counts', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const { id } = await first.addUser()

    const increments = Array.from({ length: 20 }, (_, n) =>
      replicas.pair[n % 2 ? 1 : 0].ctx.transaction(async (tx) => {
        // On PostgreSQL the losers get a serialization failure; on SQLite the file is locked.
        if (DATABASE === 'postgres')
          await sql`set transaction isolation level serializable`.execute(tx)
        const count = Number(await readName(tx, id)) + 1
        await tx
          .updateTable('users')
          .set({ full_name: `${count}` })
          .where('id', '=', id)
          .execute()
      }),
    )
    await Promise.all(increments)

    assert.equal((await first.ctx.lookUp(userById, id))?.full_name, '20')
  })
})

/** As the driver throws it when running the transaction again may help. */
function transientError(): Error {
  const sqlite = { errcode: 5 }
  const postgres = { code: '40001' }
  return Object.assign(new Error('try again'), DATABASE === 'sqlite' ? sqlite : postgres)
}

if (DATABASE === 'postgres') {
  describe('a commit', () => {
    const rename = (tx: Tx, id: number) =>
      tx.updateTable('users').set({ full_name: 'Late' }).where('id', '=', id).execute()

    test('is not begun once the budget is used up: what is refused has not happened', async () => {
      await using service = await startService()
      const { ctx } = service
      const { id } = await service.addUser()
      const budget = { remainingMs: REQUEST_BUDGET_MS }

      const renaming = withBudget(budget, () =>
        ctx.transaction(async (tx) => {
          await rename(tx, id)
          budget.remainingMs = 0
        }),
      )

      await assert.rejects(renaming, isUnavailable)
      assert.equal((await ctx.lookUp(userById, id))?.full_name, null)
    })

    test('of a statement on its own is not begun either', async () => {
      await using service = await startService()
      const { ctx } = service
      const { id } = await service.addUser()
      const late: Statement<number, unknown> = {
        name: 'test_late',
        build: (tx, user) =>
          tx.updateTable('users').set({ full_name: 'Late' }).where('id', '=', user),
      }

      const renaming = withBudget({ remainingMs: 0 }, () => ctx.autocommit(late, id))

      await assert.rejects(renaming, isUnavailable)
      assert.equal((await ctx.lookUp(userById, id))?.full_name, null)
    })

    test('that was begun in time is waited for, though it is slow', async () => {
      await using service = await startService()
      const { ctx } = service
      const { id } = await service.addUser()
      const budget = { remainingMs: REQUEST_BUDGET_MS }
      // Deferred: it runs, and takes its time, in the commit.
      await ctx.transaction(async (tx) => {
        await sql`create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.3); return null; end'`.execute(
          tx,
        )
        await sql`create constraint trigger slow after update on users deferrable initially deferred for each row execute function slow()`.execute(
          tx,
        )
      })

      await withBudget(budget, () =>
        ctx.transaction(async (tx) => {
          await rename(tx, id)
          budget.remainingMs = 50
        }),
      )

      assert.equal((await ctx.lookUp(userById, id))?.full_name, 'Late')
    })
  })
}
