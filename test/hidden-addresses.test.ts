import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import { runDueJobs } from '../server/jobs/schedule.ts'
import { DAY_MS, HOUR_MS } from '../server/lib/units.ts'
import { RECURRING_JOBS } from '../server/worker.ts'
import { changeEmail } from './support/email-changes.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const NEW = 'new@example.com'
const REGISTERED = 'registered@example.com'

type Step =
  | number
  | 'an hour'
  | '14 hours'
  | '23 hours'
  | 'a day'
  | '47 hours'
  | 'resend'
  | 'owner'
  | 'clean-up'
  | 'own deletion'
  | 'deletion by an admin'
const HOURS: Partial<Record<Step, number>> = {
  'an hour': 1,
  '14 hours': 14,
  '23 hours': 23,
  'a day': 24,
  '47 hours': 47,
}

/** Signs the address up as often as it says; the statuses are what a stranger sees. */
async function signUpOften(service: Service, email: string, times: number): Promise<number[]> {
  const statuses: number[] = []
  for (let n = 0; n < times; n++) {
    const { status } = await service.post('/api/v1/auth/signup', { email, password: PASSWORD })
    statuses.push(status)
  }
  return statuses
}

/** The mailbox's owner signs up, and verifies where that is possible. */
async function answerAsOwner(service: Service, email: string): Promise<void> {
  const sign_up_id = await service.signUp(email)
  if (email !== NEW) return
  const body = { email, code: await service.codeFor(email), sign_up_id }
  assert.equal((await service.post('/api/v1/auth/verify', body)).status, 200)
}

/** What is done in transactions from now on: the kind of each statement. */
function countStatements({ ctx }: Service): string[] {
  const kinds: string[] = []
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      kinds.push(node.kind)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const { transaction } = ctx
  const counted: typeof transaction = (work) => transaction((tx) => work(tx.withPlugin(plugin)))
  Object.assign(ctx, { transaction: counted })
  return kinds
}

/** The registered account goes, as it does when nobody else is to notice. */
async function remove(service: Service, as: 'own deletion' | 'deletion by an admin') {
  const { access } = await service.logIn(REGISTERED)
  const { id } = (await service.get('/api/v1/me', { token: access })).body
  const body = { current_password: PASSWORD }
  const answer =
    as === 'own deletion'
      ? await service.delete('/api/v1/me', { token: access, body })
      : await service.delete(`/api/v1/users/${id}`, { token: (await service.addAdmin()).access })
  assert.ok(answer.status < 300, answer.text)
}

describe('HIDE_REGISTERED_EMAILS=true: who signs up again and again cannot tell', () => {
  const histories: readonly (readonly [how: string, steps: readonly Step[]])[] = [
    ['by six at once and one a day later', [6, 'a day', 1]],
    ['by a resend before the day is over', [5, 'an hour', 'resend', '23 hours', 1]],
    [
      'by five before the end of the account and one after it',
      [1, '47 hours', 5, 'an hour', 'an hour', 1],
    ],
    [
      'by five before the clean-up and one after it',
      [1, '23 hours', '23 hours', 5, '14 hours', 'clean-up', 1, 'a day', 1],
    ],
    ['when the owner verifies in between', [4, 'owner', 1, 1, 'a day', 1]],
    ['when its owner deletes the account', [5, 'an hour', 'own deletion', 1, '23 hours', 1]],
    ['when an admin deletes the account', [5, 'an hour', 'deletion by an admin', 1, '23 hours', 1]],
  ]
  for (const [how, steps] of histories) {
    test(`a registered address from a new one ${how}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
      await service.registerUser(REGISTERED)
      service.advance(2 * DAY_MS)
      const seen: Record<string, number[]> = { [NEW]: [], [REGISTERED]: [] }

      for (const step of steps) {
        service.advance((HOURS[step] ?? 0) * HOUR_MS)
        if (step === 'own deletion' || step === 'deletion by an admin') await remove(service, step)
        if (step === 'clean-up') await runDueJobs(service.ctx, RECURRING_JOBS)
        for (const [email, statuses] of Object.entries(seen)) {
          if (step === 'resend') await service.post('/api/v1/auth/verify/resend', { email })
          if (step === 'owner') await answerAsOwner(service, email)
          if (typeof step === 'number') statuses.push(...(await signUpOften(service, email, step)))
        }
        await service.deliverMail()
      }

      assert.deepEqual(seen[NEW], seen[REGISTERED])
      assert.ok(seen[NEW]?.includes(201))
    })
  }
})

test('a sign-up takes as many statements for a new address as for one that has been signed up, verified or left', async () => {
  await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
  const moved = await service.registerUser('moved@example.com')
  await changeEmail(service, moved, REGISTERED)
  service.advance(DAY_MS)
  const statements = countStatements(service)
  const counts: [email: string, status: number, statements: number][] = []

  for (const email of [NEW, NEW, REGISTERED, REGISTERED, moved.email, moved.email]) {
    const before = statements.length
    const [status = 0] = await signUpOften(service, email, 1)
    counts.push([email, status, statements.length - before])
  }

  const [[, , expected]] = counts as [(typeof counts)[0]]
  assert.ok(expected >= 8, String(statements))
  for (const count of counts) assert.deepEqual(count.slice(1), [201, expected], count[0])
})

test('no answer comes sooner than 20 ms after its hash, whatever the address has been', async () => {
  await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
  const moved = await service.registerUser('moved@example.com')
  await changeEmail(service, moved, REGISTERED)
  service.advance(DAY_MS)
  const { hasher } = service.ctx
  const { hash } = hasher
  let hashedAtMs = Number.NaN
  hasher.hash = async (...args) => {
    const made = await hash(...args)
    hashedAtMs = performance.now()
    return made
  }

  for (const [email, count] of [
    [REGISTERED, 6],
    [moved.email, 1],
    [NEW, 6],
  ] as const) {
    for (let n = 1; n <= count; n++) {
      const [status] = await signUpOften(service, email, 1)
      const tookMs = performance.now() - hashedAtMs

      assert.equal(status, n <= 5 ? 201 : 429)
      assert.ok(tookMs > 19, `${email}: ${tookMs} ms`)
    }
  }
})

test('an address of an account that was cleaned up is kept for as long as it counts, and without the rest', async () => {
  await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
  const seen = async () => {
    await runDueJobs(service.ctx, RECURRING_JOBS)
    const rows = await rowsOf(service.ctx, 'outbox')
    return rows.filter((row) => JSON.stringify(row).includes(NEW))
  }
  await service.signUp(NEW)
  service.advance(46 * HOUR_MS)
  await signUpOften(service, NEW, 2)
  await service.deliverMail()

  service.advance(14 * HOUR_MS)
  const cleanedUp = await seen()
  service.advance(11 * HOUR_MS)
  const dayLater = await seen()

  const kept = ['verification', null, null, '{}']
  assert.equal((await rowsOf(service.ctx, 'users')).length, 0)
  assert.deepEqual(
    cleanedUp.map((row) => [row.kind, row.recipient, row.user_id, row.payload]),
    [kept, kept],
  )
  assert.deepEqual(dayLater, [])
})
