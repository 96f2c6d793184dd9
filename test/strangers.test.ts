import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { withBudget } from '../server/database/budget.ts'
import { MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { DATABASE } from './support/database.ts'
import { eventsOf } from './support/events.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, oneByOne, times } from './support/races.ts'
import { LOGIN } from './support/sessions.ts'
import { PASSWORD, startService } from './support/service.ts'

// What somebody without an account, or without the owner's, must not spend, fill or learn.

const email = 'ann@example.com'
const WRONG = 'not it, sorry'
const HOME = { ip: '203.0.113.7' }
const STRANGER = { ip: '198.51.100.9' }
const RESEND = '/api/v1/auth/verify/resend'

test('a stranger’s requests to resend codes leave the owner’s', async () => {
  await using service = await startService()
  const id = await service.signUp(email, PASSWORD, undefined, HOME)
  await service.deliverMail()
  await oneByOne(5, async () => {
    await service.post(RESEND, { email, sign_up_id: randomUUID() }, STRANGER)
    await service.deliverMail()
    service.advance(MINUTE_MS + SECOND_MS)
  })
  const before = service.mailsTo(email).length

  await service.post(RESEND, { email, sign_up_id: id }, HOME)
  await service.deliverMail()

  assert.equal(service.mailsTo(email).length, before + 1)
})

test('the code of a stranger who took all five sign-ups activates nothing for the owner', async () => {
  await using service = await startService()
  await oneByOne(5, () => service.signUp(email, 'the stranger’s password', undefined, STRANGER))
  const refused = await service.post('/api/v1/auth/signup', { email, password: PASSWORD }, HOME)
  const code = await service.codeFor(email)

  const verified = await service.post('/api/v1/auth/verify', { email, code }, HOME)

  assertProblem(refused, 'too_many_sign_ups')
  assertProblem(verified, 'invalid_code')
})

test('a network beyond its limit fills no audit log, whatever addresses it invents', async () => {
  await using service = await startService({ RATE_LIMIT_SCALE: '0.1' })
  await service.addUser(email)
  await oneByOne(60, () => service.post(LOGIN, { email, password: PASSWORD }, STRANGER))

  const answers = await oneByOne(30, (n) =>
    service.post(LOGIN, { email: `nobody${n}@example.com`, password: WRONG }, STRANGER),
  )

  assert.deepEqual(countStatuses(answers), { 429: 30 })
  assert.deepEqual(await eventsOf(service, 'login.failed'), [])
})

describe('202 for a forgotten password, and a place of its own,', () => {
  for (const agent of ['x ::1%a.b/64', 'Browser/1 2001:db8::1', 'Safari/537.36'])
    test(`for the device ${agent}`, async () => {
      await using service = await startService()

      const answer = await service.post(
        '/api/v1/auth/password/forgot',
        { email },
        { headers: { 'user-agent': agent } },
      )

      assert.equal(answer.status, 202, answer.text)
    })
})

test('a copied user agent tells nobody which address is registered, where that is hidden', async () => {
  await using service = await startService({ HIDE_REGISTERED_EMAILS: 'on' })
  const headers = { 'user-agent': 'Mozilla/5.0 Chrome/142.0.0.0' }
  await service.addUser(email)
  await service.post(LOGIN, { email, password: PASSWORD }, { ...HOME, headers })
  const lockAndTry = async (address: string) => {
    const guess = { email: address, password: WRONG }
    await oneByOne(50, (n) => service.post(LOGIN, guess, { ip: `198.51.100.${n % 10}` }))
    return service.post(LOGIN, guess, { ...STRANGER, ip: '198.51.100.77', headers })
  }

  const answers = [await lockAndTry(email), await lockAndTry('nobody@example.com')]

  assert.deepEqual(
    answers.map(({ body }) => body.code),
    ['login_locked', 'login_locked'],
  )
})

if (DATABASE === 'postgres') {
  test('200 from /ready for others while a network whose connections are all busy asks, too', async () => {
    await using service = await startService()
    const [busy, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let begun = 0
    const holds = times(3).map(() =>
      withBudget({ remainingMs: MINUTE_MS, caller: STRANGER.ip }, () =>
        service.ctx.transaction(async (tx) => {
          await sql`select 1`.execute(tx)
          if (++begun === 3) busy.resolve()
          await mayEnd.promise
        }),
      ),
    )
    await busy.promise

    const [asked, probe] = [service.get('/ready', STRANGER), service.get('/ready', HOME)]

    assert.deepEqual([(await asked).status, (await probe).status], [200, 200])
    mayEnd.resolve()
    await Promise.all(holds)
  })
}
