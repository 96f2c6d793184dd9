import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { changeEmail, undoEmail, undoTokensTo } from './support/email-changes.ts'
import { outboxRows } from './support/mailers.ts'
import { assertProblem } from './support/problem.ts'
import { atOnce, countStatuses, startReplicas, times } from './support/races.ts'
import { forget, FORGOT, linksTo, newestToken, reset, tokenFor } from './support/resets.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const email = 'ann@example.com'
const HOME = '203.0.113.7'
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1'
const ELSEWHERE = '203.0.113.200'

/** A browser that the owner never used. */
const stranger = { headers: { 'user-agent': 'the browser of a stranger' } }
const owner = { headers: { 'user-agent': PHONE } }

/** Asks from networks of their own until no more is mailed; returns how many were. */
async function flood(service: Service, of = email): Promise<number> {
  let mailed = 0
  for (const n of times(12))
    mailed += await forget(service, of, { ip: `198.51.100.${n + 1}`, ...stranger })
  return mailed
}

describe('a stranger who asks for links to the owner’s address', () => {
  test('has ten mailed at most, all with the link that the owner has', async () => {
    await using service = await startService()
    await service.addUser(email)
    const token = await tokenFor(service, email)

    const mailed = await flood(service)

    assert.equal(mailed, 9)
    assert.equal(newestToken(service, email), token)
    assert.equal((await reset(service, token)).status, 200)
  })

  for (const [where, from] of [
    ['a network', { ip: HOME, ...stranger }],
    ['a device', { ip: ELSEWHERE, ...owner }],
  ] as const) {
    test(`leaves three places to ${where} of the owner’s last logins`, async () => {
      await using service = await startService()
      await service.addUser(email)
      const login = { ip: HOME, headers: owner.headers }
      await service.post('/api/v1/auth/login', { email, password: PASSWORD }, login)
      await flood(service)

      const mailed = [
        await forget(service, email, { ip: ELSEWHERE, ...stranger }),
        await forget(service, email, from),
        await forget(service, email, from),
        await forget(service, email, from),
        await forget(service, email, from),
      ]

      assert.deepEqual(mailed, [0, 1, 1, 1, 0])
    })
  }

  test('who copies the device uses up its places, from however many networks', async () => {
    await using service = await startService()
    await service.addUser(email)
    const login = { ip: HOME, headers: owner.headers }
    await service.post('/api/v1/auth/login', { email, password: PASSWORD }, login)
    await flood(service)

    let mailed = 0
    for (const n of times(9))
      mailed += await forget(service, email, { ip: `192.0.2.${n}`, ...owner })

    assert.deepEqual([mailed, await forget(service, email, { ip: HOME, ...owner })], [3, 1])
  })

  test('cannot leave the mailbox without a link that works, wherever the owner asks', async () => {
    await using service = await startService()
    await service.addUser(email)
    const from = { ip: ELSEWHERE, ...stranger }

    for (const pauseMs of [0, 10, 19, 21, 31, 45, 59].map((minutes) => minutes * MINUTE_MS)) {
      await flood(service)
      service.advance(pauseMs)
      await forget(service, email, from)

      const until = /until (\S+ \S+) UTC/.exec(linksTo(service, email).at(-1)?.text ?? '')?.[1]
      const endsAtMs = Date.parse(`${until?.replace(' ', 'T')}Z`)
      assert.ok(endsAtMs >= service.clock.nowMs + 9 * MINUTE_MS, `${until} after ${pauseMs} ms`)
    }
    assert.equal((await reset(service, newestToken(service, email))).status, 200)
  })

  test('on the owner’s own network keeps no link from the owner either', async () => {
    await using service = await startService()
    await service.addUser(email)
    const from = { ip: ELSEWHERE, ...stranger }
    for (const _ of times(5)) await forget(service, email, from)
    service.advance(31 * MINUTE_MS)

    const mailed = await forget(service, email, from)

    assert.equal(mailed, 1)
    assert.equal((await reset(service, newestToken(service, email))).status, 200)
  })

  test('has a few more mailed in an hour than ten, however often he asks', async () => {
    await using service = await startService()
    await service.addUser(email)
    for (const n of times(120)) {
      service.advance(30 * SECOND_MS)
      await service.post(FORGOT, { email }, { ip: `192.0.2.${n}`, ...stranger })
      if (n % 10 === 9) await service.deliverMail()
    }
    await service.deliverMail()

    const mailed = linksTo(service, email).length
    assert.ok(mailed >= 10 && mailed <= 13, `${mailed} mails`)
  })

  test('does not delay a link after the last one was used: it is mailed whatever the limits', async () => {
    await using service = await startService()
    await service.addUser(email)
    await flood(service)
    await reset(service, newestToken(service, email))

    const mailed = await forget(service, email, { ip: ELSEWHERE, ...stranger })

    assert.equal(mailed, 1)
    assert.equal((await reset(service, newestToken(service, email), PASSWORD)).status, 200)
  })
})

test('a link in a mail that was held up for two days works for 30 minutes from then', async () => {
  await using service = await startService()
  await service.addUser(email)
  await service.post(FORGOT, { email })
  service.advance(2 * DAY_MS)
  await service.deliverMail()
  service.advance(30 * MINUTE_MS - SECOND_MS)

  assert.equal((await reset(service, newestToken(service, email))).status, 200)
})

describe('the address that an account has left', () => {
  const NEW = 'thief@example.com'

  async function startChanged() {
    const service = await startService()
    const ann = await service.addUser(email)
    await changeEmail(service, ann, NEW)
    service.advance(HOUR_MS)
    return { service, ann, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
  }

  test('202 and the undo link again, the same, until the change can no longer be undone', async () => {
    await using changed = await startChanged()
    const { service } = changed
    const [first] = undoTokensTo(service, email)

    const answer = await service.post(FORGOT, { email })
    await service.deliverMail()
    const tokens = undoTokensTo(service, email)
    service.advance(72 * HOUR_MS)
    await service.post(FORGOT, { email })
    await service.deliverMail()

    assert.equal(answer.status, 202)
    assert.deepEqual(tokens, [first, first])
    assert.equal(undoTokensTo(service, email).length, 2)
    assert.equal(linksTo(service, email).length, 0)
  })

  test('200 for the link that was mailed again; afterwards a request mails a reset link', async () => {
    await using changed = await startChanged()
    const { service } = changed
    await service.post(FORGOT, { email })
    await service.deliverMail()

    const undone = await undoEmail(service, undoTokensTo(service, email).at(-1) ?? '')
    service.advance(MINUTE_MS)
    await service.deliverMail()

    assert.equal(undone.status, 200, undone.text)
    assert.equal((await reset(service, newestToken(service, email))).status, 200)
    assertProblem(
      await undoEmail(service, undoTokensTo(service, email)[0] ?? ''),
      'invalid_undo_token',
    )
  })

  test('is mailed ten an hour at most, and then one each 20 minutes', async () => {
    await using changed = await startChanged()
    const { service } = changed
    await flood(service)
    const flooded = undoTokensTo(service, email).length - 1
    service.advance(20 * MINUTE_MS)
    await flood(service)

    assert.deepEqual([flooded, undoTokensTo(service, email).length - 1], [10, 11])
  })

  test('costs a request the same row as any other address', async () => {
    await using changed = await startChanged()
    const { service } = changed
    const before = (await outboxRows(service)).length

    for (const each of [email, 'nobody@example.com', NEW])
      await service.post(FORGOT, { email: each })

    const rows = (await outboxRows(service)).slice(before)
    assert.deepEqual(
      rows.map(({ kind, state, user_id }) => [kind, state, user_id]),
      times(3).map(() => ['password_reset', 'waiting', null]),
    )
  })

  test('gets one mail for 50 requests at once, with two workers', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser(email)
    await changeEmail(first, ann, NEW)
    first.advance(HOUR_MS)

    const answers = await atOnce(50, replicas.pair, (service) => service.post(FORGOT, { email }))
    await Promise.all([first.deliverMail(), second.deliverMail()])

    assert.deepEqual(countStatuses(answers), { 202: 50 })
    assert.equal(undoTokensTo(first, email).length, 2)
  })
})
