import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../server/lib/units.ts'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { LANES, runDelivery } from '../server/outbox/run.ts'
import { deliverNext, deliveryBy } from './support/mailers.ts'
import { times } from './support/races.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'
import { mailerFor } from './support/smtp-mailers.ts'
import { startSmtpServer } from './support/smtp-server.ts'

// Who has to wait behind whom, as a slow mail server sees it: by count, not by time.

const BACKLOG = 120
const NOBODY = { ip: null, userAgent: null }
const AT = '2026-01-01T12:00:00.000Z'

/** A whole backlog, in one transaction. */
const enqueueMany = (
  { ctx }: Service,
  enqueue: (tx: Parameters<typeof enqueueMessage>[0], nowMs: number, n: number) => Promise<void>,
) =>
  ctx.transaction(async (tx) => {
    for (const n of times(BACKLOG)) await enqueue(tx, ctx.now(), n)
  })

/**
 * Starts a worker on a server that holds the first mails until `meanwhile` has run, and returns the addresses
 * in the order in which the server got them.
 */
async function recipientsWhile(
  service: Service,
  meanwhile: () => Promise<void>,
  count: number,
): Promise<readonly string[]> {
  await using server = await startSmtpServer({ tls: 'none' })
  await using mailer = mailerFor(server.url('?tls=off'))
  const held = Promise.withResolvers<void>()
  server.behave({ data: held.promise })
  const loop = runDelivery(service.ctx, deliveryBy(service, mailer))
  await server.got(LANES)
  await meanwhile()
  loop.wake()
  server.behave({})
  held.resolve()
  await server.got(count)
  await loop.stop()
  return server.received.map(({ to }) => to[0] ?? '')
}

/** The place at the server, counted from the mails that were in hand before. */
const placeOf = (recipients: readonly string[], email: string) =>
  recipients.indexOf(email) - LANES + 1

/** As two strangers: one forgot the password, one signs up. */
async function askForBoth(service: Service, known: string, unknown: string): Promise<void> {
  const { status } = await service.post('/api/v1/auth/password/forgot', { email: known })
  assert.equal(status, 202)
  await service.signUp(unknown)
}

describe('a backlog', () => {
  for (const [what, enqueueOne] of [
    [
      'notices to one user',
      (userId: number) => (tx, nowMs) =>
        enqueueMessage(tx, 'new_device', { userId, at: AT, ...NOBODY }, { nowMs, userId }),
    ],
    [
      'sign-up mail to one address',
      (_: number, email: string) => (tx, nowMs) =>
        enqueueMessage(tx, 'already_registered', { email }, { nowMs, email }),
    ],
  ] as [string, (userId: number, email: string) => Parameters<typeof enqueueMany>[1]][]) {
    test(`of ${what} lets a stranger’s reset and code pass`, async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const ann = await service.addUser('ann@example.com')
      const bob = await service.addUser('bob@example.com')
      await enqueueMany(service, enqueueOne(ann.id, ann.email))
      service.advance(1)

      const meanwhile = () => askForBoth(service, bob.email, 'new@example.com')
      const recipients = await recipientsWhile(service, meanwhile, LANES + 8)

      assert.equal(recipients[0], ann.email)
      const places = [bob.email, 'new@example.com'].map((email) => placeOf(recipients, email))
      assert.ok(
        places.every((place) => place >= 1 && place <= 4),
        String(recipients),
      )
    })
  }

  test('of reset links for many users lets a notice and a sign-up pass', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const ann = await service.addUser('ann@example.com')
    const emails = await seedUsers(service.ctx, BACKLOG, {
      createdAtMs: service.clock.nowMs,
      verified: true,
    })
    await enqueueMany(service, (tx, nowMs, n) => {
      const email = emails[n] ?? ''
      const payload = { email, resetId: crypto.randomUUID(), requestedAt: AT, ...NOBODY }
      return enqueueMessage(tx, 'password_reset', payload, { nowMs, email })
    })
    service.advance(1)

    const recipients = await recipientsWhile(
      service,
      async () => {
        await service.post(
          '/api/v1/me/password',
          { current_password: ann.password, new_password: 'a better one than before' },
          { token: ann.access },
        )
        await service.signUp('new@example.com')
      },
      LANES + 8,
    )

    for (const email of [ann.email, 'new@example.com']) {
      const place = placeOf(recipients, email)
      assert.ok(place >= 1 && place <= 6, String(recipients))
    }
  })

  test('is delivered whole', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const ann = await service.addUser('ann@example.com')
    await enqueueMany(service, (tx, nowMs) =>
      enqueueMessage(
        tx,
        'new_device',
        { userId: ann.id, at: AT, ...NOBODY },
        { nowMs, userId: ann.id },
      ),
    )

    await service.deliverMail()

    assert.equal(service.mailsTo(ann.email).length, BACKLOG)
  })

  test('of one user lets those pass first who have fewer', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const users = [await service.addUser(), await service.addUser(), await service.addUser()]
    for (const [index, count] of [40, 5, 1].entries()) {
      const { id: userId } = users[index] ?? assert.fail()
      await service.ctx.transaction(async (tx) => {
        const payload = { userId, at: AT, ...NOBODY }
        for (const _ of times(count))
          await enqueueMessage(tx, 'new_device', payload, { nowMs: service.clock.nowMs, userId })
      })
      service.advance(1)
    }

    await service.deliverMail()

    const order = service.mailer.sent.map(({ to }) => users.findIndex(({ email }) => email === to))
    // The first of each, then the second to fourth of those who have as many, then up to the sixteenth.
    assert.ok(order.lastIndexOf(2) < 4, String(order))
    assert.ok(order.indexOf(1) < 4 && order.lastIndexOf(1) < 24, String(order))
    assert.equal(order.length, 46)
  })

  test('of an older version, without turns, is delivered too', async () => {
    await using service = await startService()
    await service.signUp('ann@example.com')
    const row = (await rowsOf(service.ctx, 'outbox')).find(({ kind }) => kind === 'verification')
    const { line: _line, turn: _turn, ...columns } = row
    await service.ctx.transaction(async (tx) => {
      await tx.deleteFrom('outbox').where('id', '=', row.id).execute()
      await tx.insertInto('outbox').values(columns).execute()
    })

    await service.deliverMail()

    assert.equal(service.mailsTo('ann@example.com').length, 1)
  })
})

describe('a line that is long', () => {
  test('is a warning, once a minute, that names who has most waiting and no address', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const ann = await service.addUser('ann@example.com')
    const { id: userId } = ann
    const payload = { userId, at: AT, ip: '203.0.113.7', userAgent: null }
    await enqueueMany(service, (tx, nowMs) =>
      enqueueMessage(tx, 'new_device', payload, { nowMs, userId }),
    )
    const delivery = deliveryBy(service, service.mailer)
    const warnings = () => service.logged.filter((line) => line.includes('sent late'))

    const counts: number[] = []
    for (const ms of [MINUTE_MS - 1, 1, 1, MINUTE_MS]) {
      service.advance(ms)
      await deliverNext(delivery, true)
      counts.push(warnings().length)
    }

    assert.deepEqual(counts, [0, 1, 1, 2])
    const [line = '{}'] = warnings()
    const { late_s, networks, users } = JSON.parse(line)
    assert.equal(late_s, 60)
    assert.deepEqual(networks, [{ network: '203.0.113.7', messages: BACKLOG - 1 }])
    assert.deepEqual(users, [{ user_id: userId, messages: BACKLOG - 1 }])
    assert.doesNotMatch(line, /@/)
  })
})
