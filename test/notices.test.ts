import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { claimUpTo, deliverAll, deliveryBy } from './support/mailers.ts'
import { atOnce, startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'
import { refresh } from './support/sessions.ts'

// What a signed-in user causes: notices to the owner, which must not fill the line or a mailbox.

const CHANGE = '/api/v1/me/password'

/** Changes the password `count` times, each time from the last address of another network. */
async function changeOften(service: Service, { access }: TestUser, count: number): Promise<string> {
  let password = PASSWORD
  for (const n of times(count)) {
    const next = `a better one than before ${n}`
    const body = { current_password: password, new_password: next }
    const sent = { token: access, ip: `203.0.113.${n + 1}` }
    const { status } = await service.post(CHANGE, body, sent)
    assert.equal(status, 204)
    password = next
  }
  return password
}

const waiting = async ({ ctx }: Service, kind: string) =>
  (await rowsOf(ctx, 'outbox')).filter((row) => row.kind === kind && row.finished_at === null)

/** Uses a refresh token twice beyond its grace: the session ends and its owner is told. */
async function replay(service: Service, { email }: TestUser): Promise<void> {
  const { refresh: token } = await service.logIn(email)
  await refresh(service, token)
  service.advance(MINUTE_MS)
  assert.equal((await refresh(service, token)).status, 401)
}

describe('a notice that waits', () => {
  test('is one for three changes of the password, and tells of the last', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    await changeOften(service, ann, 3)
    await service.deliverMail()

    const [mail, ...more] = service.mailsTo(ann.email)
    assert.equal(more.length, 0)
    assert.match(mail?.text ?? '', /203\.0\.113\.3 /)
  })

  test('is not changed once a worker has it in hand', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const delivery = deliveryBy(service, service.mailer)
    const password = await changeOften(service, ann, 1)
    const [claimed] = await claimUpTo(1, delivery)
    assert.ok(claimed)

    const body = { current_password: password, new_password: 'yet another good one' }
    await service.post(CHANGE, body, { token: ann.access, ip: '203.0.113.99' })
    await delivery.deliver(claimed)
    await deliverAll(delivery)

    const texts = service.mailsTo(ann.email).map(({ text }) => text)
    assert.equal(texts.length, 2)
    assert.match(texts[0] ?? '', /203\.0\.113\.1 /)
    assert.match(texts[1] ?? '', /203\.0\.113\.99 /)
  })

  test('is one of each kind and for each user', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()

    for (const user of [ann, bob]) {
      await replay(service, user)
      await changeOften(service, user, 2)
    }

    assert.equal((await waiting(service, 'password_changed')).length, 2)
    assert.equal((await waiting(service, 'session_replayed')).length, 2)
  })

  test('is one for ten sessions replayed at once over two replicas', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()
    const tokens: string[] = []
    for (const _ of times(10)) {
      const { refresh: token } = await first.logIn(ann.email)
      await refresh(first, token)
      tokens.push(token)
    }
    first.advance(31 * SECOND_MS)

    await atOnce(tokens.length, replicas.pair, (service, n) => refresh(service, tokens[n]))

    assert.equal((await waiting(first, 'session_replayed')).length, 1)
  })

  test('to an address that was left is not replaced by one to another', async () => {
    await using service = await startService()
    const { id: userId } = await service.addUser()
    const { nowMs } = service.clock
    const at = toIso(nowMs)

    await service.ctx.transaction(async (tx) => {
      for (const email of ['one@example.com', 'two@example.com', 'two@example.com'])
        await enqueueMessage(
          tx,
          'password_changed_left',
          { emailChangeId: email, at },
          { nowMs, userId, email },
        )
    })

    const rows = await waiting(service, 'password_changed_left')
    const to = rows.map((row) => row.email_canonical as string)
    assert.deepEqual(
      to.toSorted((a, b) => a.localeCompare(b)),
      ['one@example.com', 'two@example.com'],
    )
  })
})

describe('whoever logs in and replays over and over', () => {
  test('has the owner told five times an hour; each replay is recorded', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const told = () =>
      service.mailsTo(ann.email).filter(({ subject }) => /logged out/i.test(subject)).length

    for (const _ of times(8)) {
      await replay(service, ann)
      await service.deliverMail()
    }
    const inTheHour = told()
    service.advance(HOUR_MS)
    await replay(service, ann)
    await service.deliverMail()

    assert.deepEqual([inTheHour, told()], [5, 6])
    const events = await rowsOf(service.ctx, 'audit_events')
    assert.equal(events.filter(({ event }) => event === 'session.replayed').length, 9)
  })
})
