import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import type { Db } from '../server/database/connect.ts'
import type { OutboxState, Schema } from '../server/database/schema.ts'
import { KINDS } from '../server/messages/kinds.ts'
import {
  countMailsIn,
  findMails,
  MAIL_STATES,
  type MailFilters,
  type MailKey,
} from '../server/outbox/mails.ts'
import { DATABASE } from './support/database.ts'
import { startPlans } from './support/plans.ts'
import { times } from './support/races.ts'

// A page never reads the messages that its filter leaves out, though they be all others.

const MAILS = 100_000
const PART = 5000
const RARE = 150
const COUNTED_MAX = 10_000
const MIDDLE = { createdAt: '2025-01-01T03:00:00.000Z', id: 'mail' }
/** Of each state and kind there is at least one message: the oldest. */
const PAIRS = MAIL_STATES.flatMap((state) => Object.keys(KINDS).map((kind) => ({ state, kind })))

/** Messages of which those have a state and a kind whose number `n` fulfils a condition. */
async function fill(db: Kysely<Schema>, stateOf: string, kindOf: string): Promise<void> {
  const at =
    DATABASE === 'sqlite'
      ? sql`strftime('%Y-%m-%dT%H:%M:%fZ', 1735689600 + n / 4, 'unixepoch')`
      : sql`to_timestamp(1735689600 + n / 4)`
  // In parts, which are quick enough for the statement limit of a busy machine.
  for (const part of times(MAILS / PART)) {
    const [first, last] = [sql.lit(part * PART + 1), sql.lit((part + 1) * PART)]
    await sql`
      with recursive numbers(n) as (select ${first} union all select n + 1 from numbers where n < ${last})
      insert into outbox (id, kind, state, payload, created_at, due_at, finished_at, claims)
      select 'mail' || n, ${sql.raw(kindOf)}, ${sql.raw(stateOf)}, '{}', ${at}, ${at}, ${at}, 1
      from numbers`.execute(db)
  }
  const at0 = '2025-01-01T00:00:00.000Z'
  const oldest = { payload: '{}', created_at: at0, due_at: at0, finished_at: at0, claims: 1 }
  const rows = PAIRS.map((pair, n) => ({ ...oldest, ...pair, id: `oldest${n}` }))
  await db.insertInto('outbox').values(rows).execute()
}

for (const [what, stateOf, kindOf] of [
  [
    'nearly all are sent verifications',
    `case when n <= ${RARE} then 'dead' else 'sent' end`,
    `case when n % 1000 = 7 then 'reminder' else 'verification' end`,
  ],
  [
    'all of one kind wait, and all others are sent',
    `case when n % 2 = 0 then 'waiting' else 'sent' end`,
    `case when n % 2 = 0 then 'reminder' else 'verification' end`,
  ],
] as const) {
  describe(`GET /mail of 100 000, when ${what}`, () => {
    let plans: Awaited<ReturnType<typeof startPlans>>
    let all: { id: string; state: OutboxState; kind: string; created_at: string }[]
    before(async () => {
      plans = await startPlans((db) => fill(db, stateOf, kindOf), { analyzed: false })
      all = await plans.db
        .selectFrom('outbox')
        .select(['id', 'state', 'kind', 'created_at'])
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
    })
    after(() => plans[Symbol.asyncDispose]())

    const expected = ({ state, kind }: MailFilters, after?: MailKey) =>
      all
        .filter((mail) => mail.state === (state ?? mail.state) && mail.kind === (kind ?? mail.kind))
        .filter(({ created_at: at }) => after === undefined || at < after.createdAt)
        .slice(0, 101)
    const kinds = ['verification', 'reminder', 'new_device', 'password_reset', 'email_code']

    for (const [filter, filters] of [
      ['no filter', [{}]],
      ['a state', MAIL_STATES.map((state) => ({ state }))],
      ['a kind', kinds.map((kind) => ({ kind }))],
      ['a state and a kind', PAIRS.filter(({ kind }) => kinds.includes(kind))],
    ] as [string, MailFilters[]][]) {
      test(`pages by ${filter} walk an index, also after a cursor`, async () => {
        for (const asked of filters) {
          for (const cursor of [undefined, MIDDLE]) {
            const page = { limit: 101, after: cursor }
            const plan = await plans.planOf((db) => findMails(db, asked, page))
            const found = await findMails(plans.db, asked, page)

            const named = JSON.stringify(asked)
            assert.match(plan, WALKS[filter as keyof typeof WALKS], named)
            assert.doesNotMatch(plan, /Seq Scan|SCAN outbox"|Bitmap/, named)
            assert.deepEqual(
              found.map(({ id }) => id),
              expected(asked, cursor).map(({ id }) => id),
              named,
            )
          }
        }
      })
    }

    test('counts by a state end at a maximum, and walk an index', async () => {
      for (const state of MAIL_STATES) {
        const count = (db: Db) => countMailsIn(db, state, COUNTED_MAX)

        const plan = await plans.planOf(count)

        assert.match(plan, WALKS['a state'], state)
        assert.doesNotMatch(plan, /Seq Scan|SCAN outbox"|Sort|B-TREE/, state)
        const found = all.filter((mail) => mail.state === state).length
        assert.equal(await count(plans.db), Math.min(found, COUNTED_MAX), state)
      }
    })
  })
}

/** PostgreSQL need not filter by an index what is nearly all, or few. */
const OF_ANY = /outbox_(kind|state|created)\b/
const WALKS = {
  'no filter': /outbox_created/,
  'a state': DATABASE === 'sqlite' ? /outbox_state \(state=/ : OF_ANY,
  'a kind': DATABASE === 'sqlite' ? /outbox_kind \(kind=\? AND state=/ : OF_ANY,
  'a state and a kind': DATABASE === 'sqlite' ? /outbox_kind \(kind=\? AND state=/ : OF_ANY,
}
