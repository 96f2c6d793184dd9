import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { kindsOf } from '../server/messages/kinds.ts'
import { deliverAll, deliveryBy } from './support/mailers.ts'
import { startReplicas } from './support/races.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const WAITING = ['already_registered', 'reminder', 'verification', 'verification_again']
const three = { MAIL_MAX_PER_HOUR: '3' }

async function signUpMany(service: Service, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await service.signUp(`user${n}@example.com`)
    service.advance(1)
  }
}
const tellReplayed = ({ ctx }: Service, userId: number, about: { userId?: number } = {}) =>
  ctx.transaction((tx) => {
    const payload = { userId, endedAt: '2026-01-01T00:00:00.000Z', ip: null, userAgent: null }
    return enqueueMessage(tx, 'session_replayed', payload, { nowMs: ctx.now(), ...about })
  })
const alarms = ({ logged }: Service) =>
  logged.filter((line) => line.includes('sign-up mail is held back'))

describe('MAIL_MAX_PER_HOUR', () => {
  test('makes sign-up mail wait, over all replicas, until an hour has passed', async () => {
    await using replicas = await startReplicas(three)
    const [first, second] = replicas.pair
    await signUpMany(first, 5)

    await first.deliverMail()
    await second.deliverMail()
    const atOnce = first.mailer.sent.length
    first.advance(HOUR_MS - MINUTE_MS)
    await second.deliverMail()
    const early = first.mailer.sent.length
    first.advance(MINUTE_MS)
    await second.deliverMail()

    assert.deepEqual([atOnce, early, first.mailer.sent.length], [3, 3, 5])
    const to = first.mailer.sent.map((mail) => mail.to)
    assert.deepEqual(to, to.toSorted(), 'those who waited longest first')
  })

  test('holds back four kinds, and no other that there is or will be', async () => {
    await using service = await startService({ MAIL_MAX_PER_HOUR: '1' })
    await signUpMany(service, 1)
    await service.deliverMail()
    const nowMs = service.clock.nowMs
    await service.ctx.transaction(async (tx) => {
      for (const kind of Object.keys(kindsOf('mail')))
        await enqueueMessage(tx, kind as 'verification', {} as never, { nowMs })
    })

    await service.deliverMail()

    const rows = await service.ctx.db
      .selectFrom('outbox')
      .select(['kind', 'claims'])
      .where('created_at', '=', new Date(nowMs).toISOString())
      .execute()
    const untouched = rows.filter((row) => row.claims === 0).map((row) => row.kind)
    assert.equal(rows.length, Object.keys(kindsOf('mail')).length)
    assert.deepEqual(untouched.toSorted(), WAITING)
  })

  test('lets security notices pass, however much was sent', async () => {
    await using service = await startService(three)
    const { id, email } = await service.registerUser('ann@example.com')
    await signUpMany(service, 5)
    await service.deliverMail()

    await tellReplayed(service, id)
    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 2)
    assert.equal(service.mailer.sent.length, 4)
  })

  test('counts sign-up mail alone: a flood of notices holds back no code', async () => {
    await using service = await startService(three)
    const { id } = await service.registerUser('ann@example.com')
    service.advance(HOUR_MS)
    for (let n = 0; n < 10; n++) await tellReplayed(service, id)
    await service.deliverMail()

    await signUpMany(service, 3)
    await service.deliverMail()

    assert.equal(service.mailsTo('user2@example.com').length, 1)
    assert.equal(alarms(service).length, 0)
  })

  test('is no limit on what one process sends between two counts but for sign-up mail', async () => {
    await using service = await startService(three)
    const { id } = await service.addUser('ann@example.com')
    for (let n = 0; n < 10; n++) await tellReplayed(service, id)
    const delivery = deliveryBy(service, service.mailer)
    await deliverAll(delivery)

    // Within the same second, in which the process counts its own claims.
    await signUpMany(service, 1)
    await deliverAll(delivery)

    assert.equal(service.mailsTo('user0@example.com').length, 1)
    assert.equal(service.mailer.sent.length, 11)
  })

  test('is an alarm that names the networks and user ids behind it, and no address', async () => {
    await using service = await startService(three)
    const { id } = await service.registerUser('ann@example.com')
    for (let n = 0; n < 6; n++)
      await service.post(
        '/api/v1/auth/signup',
        { email: `user${n}@example.com`, password: PASSWORD },
        { ip: n < 5 ? '203.0.113.7' : '2001:db8::1' },
      )
    for (let n = 0; n < 4; n++) await tellReplayed(service, id, { userId: id })

    await service.deliverMail()

    const [line = '{}'] = alarms(service)
    const { networks, users } = JSON.parse(line)
    assert.deepEqual(networks, [
      { network: '203.0.113.7', messages: 5 },
      { network: '2001:db8:0:0::/64', messages: 1 },
    ])
    assert.ok(users.some((user: { user_id: number }) => user.user_id === id))
    assert.ok(users.every((user: object) => 'user_id' in user && 'messages' in user))
    assert.doesNotMatch(line, /@|example/)
  })

  test('is an alarm in the log, at most one a minute, and only while something waits', async () => {
    await using service = await startService(three)
    await signUpMany(service, 3)
    await service.deliverMail()
    await service.deliverMail()
    const before = alarms(service).length
    await service.signUp('one@example.com')
    const counts: number[] = []
    // The loop of a worker keeps one delivery.
    const delivery = deliveryBy(service, service.mailer)
    for (const ms of [0, SECOND_MS, MINUTE_MS - 2 * SECOND_MS, SECOND_MS]) {
      service.advance(ms)
      await delivery.claim({ woken: true })
      counts.push(alarms(service).length)
    }

    assert.equal(before, 0)
    assert.deepEqual(counts, [1, 1, 1, 2])
    assert.match(alarms(service)[0] ?? '', /"level":"error"/)
  })

  test('shows at /ready as mail that is delayed, which decides nothing', async () => {
    await using service = await startService(three)
    await signUpMany(service, 4)
    await service.deliverMail()
    service.advance(MINUTE_MS)

    const { status, body } = await service.get('/ready')

    assert.deepEqual([status, body.checks.mail], [200, 'delayed'])
  })

  test('is lifted by RATE_LIMIT=off', async () => {
    await using service = await startService({ ...three, RATE_LIMIT: 'off' })
    await signUpMany(service, 5)

    await service.deliverMail()

    assert.equal(service.mailer.sent.length, 5)
  })
})
