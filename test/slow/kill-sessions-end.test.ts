import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, toIso } from '../../server/lib/units.ts'
import { LONG } from '../support/long.ts'
import { isKilledAt } from '../support/killed-command.ts'
import { times } from '../support/races.ts'
import { rowsOf, startOn } from '../support/seed.ts'
import type { Service } from '../support/service.ts'

/** More statements than a run has; the loop ends before. */
const STATEMENTS_MAX = 100
const BATCHES = 2
/** One of a few statements, at each run the same. */
const STEP = LONG ? 1 : 3

const END_ALL = { file: 'sessions.ts', name: 'endSessionsCommand', args: ['--all'] }
const endAllKilledAt = (statement: number, url: string) =>
  isKilledAt(statement, END_ALL, { url, when: 'sent' })

async function seed({ ctx, clock }: Service, userId: number, count: number): Promise<void> {
  const at = toIso(clock.nowMs)
  const end = toIso(clock.nowMs + DAY_MS)
  const rows = times(count).map(() => ({
    id: crypto.randomUUID(),
    user_id: userId,
    generation: 0,
    created_at: at,
    last_seen_at: at,
    expires_at: end,
    ends_at: end,
  }))
  for (let start = 0; start < count; start += 500)
    await ctx.transaction((tx) =>
      tx
        .insertInto('sessions')
        .values(rows.slice(start, start + 500))
        .execute(),
    )
}

/** Opens all sessions again and forgets that they were ended. */
function reopen({ ctx }: Service): Promise<void> {
  return ctx.transaction(async (tx) => {
    await tx.updateTable('sessions').set({ revoked_at: null }).execute()
    await tx.deleteFrom('audit_events').execute()
  })
}

async function ended({ ctx }: Service): Promise<{ sessions: number; recorded: number }> {
  const sessions = await rowsOf(ctx, 'sessions')
  const events = await rowsOf(ctx, 'audit_events')
  return {
    sessions: sessions.filter((row) => row.revoked_at !== null).length,
    recorded: events.reduce((sum, row) => sum + (JSON.parse(row.changes).ended ?? 0), 0),
  }
}

describe('sessions end --all that is killed at any statement', () => {
  for (const database of ['sqlite', 'postgres'] as const) {
    test(`leaves what it ended ended and recorded, and another run does the rest: ${database}`, async () => {
      await using service = await startOn(database)
      const ann = await service.addUser()
      const all = BATCHES * service.ctx.batchMax
      await seed(service, ann.id, all - 1)
      const seen = new Set<number>()

      let killed = true
      for (let statement = 1; killed && statement < STATEMENTS_MAX; statement += STEP) {
        await reopen(service)
        killed = await endAllKilledAt(statement, service.databaseUrl)
        // What was on its way to PostgreSQL when its sender died may still be at work.
        await service.ctx.transaction((tx) =>
          tx.selectFrom('sessions').select('id').forUpdate().execute(),
        )
        const { sessions, recorded } = await ended(service)
        assert.equal(recorded, sessions, `killed at ${statement}`)
        seen.add(sessions)
      }

      assert.equal(killed, false, 'the command never ended')
      const whole = times(BATCHES + 1).map((batches) => batches * service.ctx.batchMax)
      assert.deepEqual([...seen], whole)
      await reopen(service)
      await service.ctx.transaction((tx) =>
        tx
          .updateTable('sessions')
          .set({ revoked_at: toIso(service.clock.nowMs) })
          .where('id', '<', '8')
          .execute(),
      )
      const left = all - (await ended(service)).sessions
      assert.equal(await endAllKilledAt(STATEMENTS_MAX * 100, service.databaseUrl), false)
      assert.deepEqual(await ended(service), { sessions: all, recorded: left })
    })
  }
})
