import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimMessage } from '../server/jobs/claims.ts'
import { deliverNext } from '../server/jobs/delivery.ts'
import { enqueueMail } from '../server/jobs/outbox.ts'
import { finishMessage } from '../server/jobs/settlements.ts'
import { MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { DeliveryError } from '../server/mail/delivery-error.ts'
import type { Mailer } from '../server/mail/mailer.ts'
import { createDeliveries } from '../server/worker.ts'
import { createHangingMailer, createFailingMailer, outboxRows as rows } from './support/mailers.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const email = 'ann@example.com'
const CLAIM_MS = 2 * SECOND_MS

/** A worker that has just started, and delivers one mail. */
const deliver = ({ ctx, sms }: Service, mail: Mailer, woken = true) =>
  deliverNext(createDeliveries(ctx, { mail, sms }).mail, woken)
const claim = ({ ctx, clock }: Service) =>
  ctx.transaction((tx) =>
    claimMessage(tx, {
      channel: 'mail',
      kinds: ['verification'],
      nowMs: clock.nowMs,
      claimMs: CLAIM_MS,
      woken: true,
    }),
  )

describe('the outbox', () => {
  test('a sign-up that is rolled back leaves no mail', async () => {
    await using service = await startService()

    const failing = service.ctx.transaction(async (tx) => {
      await enqueueMail(tx, 'already_registered', { email }, { nowMs: service.clock.nowMs })
      throw new Error('rolled back')
    })

    await assert.rejects(failing, /rolled back/)
    assert.deepEqual(await rows(service), [])
  })

  test('a mail is claimed by one of ten workers on two replicas', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    await service.signUp(email)

    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => claim(n % 2 ? service : replica)),
    )

    assert.equal(claims.filter((claim) => claim !== undefined).length, 1)
  })

  test('twenty mails are each sent once by four workers on two replicas', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    for (let n = 0; n < 20; n++) await service.signUp(`user${n}@example.com`)

    await Promise.all([service, replica, service, replica].map((one) => one.deliverMail()))

    const to = service.mailer.sent.map((mail) => mail.to)
    assert.equal(to.length, 20)
    assert.equal(new Set(to).size, 20)
  })

  test('mails are sent in the order in which they became due', async () => {
    await using service = await startService()
    const emails = ['c@example.com', 'a@example.com', 'b@example.com']
    for (const each of emails) {
      await service.signUp(each)
      service.advance(1)
    }

    await service.deliverMail()

    assert.deepEqual(
      service.mailer.sent.map((mail) => mail.to),
      emails,
    )
  })

  test('what a killed worker had sent and not finished is sent again, with the same id', async () => {
    await using service = await startService()
    await service.signUp(email)
    const killed = createHangingMailer()
    // It never comes back: what would follow the hand-over never happens.
    void deliver(service, killed)
    await killed.taken

    service.advance(CLAIM_MS - 1)
    const tooEarly = await deliver(service, service.mailer)
    service.advance(1)
    const survivor = createFailingMailer()
    await deliver(service, survivor)

    assert.equal(tooEarly, false)
    assert.deepEqual(survivor.ids, killed.ids)
    assert.equal(survivor.ids.length, 1)
  })

  test('a worker whose claim was taken over finishes nothing', async () => {
    await using service = await startService()
    await service.signUp(email)
    const [slow, second] = [createHangingMailer(), createHangingMailer()]
    const first = deliver(service, slow)
    await slow.taken
    service.advance(CLAIM_MS)
    const taking = deliver(service, second)
    await second.taken

    slow.answer.resolve()
    await first
    const [whileHeld] = await rows(service)
    second.answer.resolve()
    await taking

    assert.equal(whileHeld?.finished_at, null)
    assert.notEqual(whileHeld?.claimed_until, null)
    assert.notEqual((await rows(service))[0]?.finished_at, null)
  })

  test('a worker whose claim was taken over postpones nothing', async () => {
    await using service = await startService()
    await service.signUp(email)
    const [slow, second] = [createHangingMailer(), createHangingMailer()]
    const first = deliver(service, slow)
    await slow.taken
    service.advance(CLAIM_MS)
    const taking = deliver(service, second)
    await second.taken
    const [before] = await rows(service)

    slow.answer.reject(new DeliveryError('later', '450 too late'))
    await first
    const [after] = await rows(service)
    second.answer.resolve()
    await taking

    assert.deepEqual(after, before)
  })

  test('finishing is final: a late success of an older claim changes nothing', async () => {
    await using service = await startService()
    await service.signUp(email)
    const held = await claim(service)
    assert.ok(held)
    service.advance(CLAIM_MS)
    await service.deliverMail()
    const done = await rows(service)

    const late = { nowMs: service.clock.nowMs + MINUTE_MS, state: 'sent' } as const
    const finished = await service.ctx.transaction((tx) => finishMessage(tx, held, late))

    assert.equal(finished, false)

    assert.deepEqual(await rows(service), done)
  })

  for (const [why, values] of [
    ['with a broken payload', { kind: 'verification', payload: '{' }],
    ['with a payload of another shape', { kind: 'verification', payload: 'null' }],
  ] as const) {
    test(`a row ${why} holds up nobody, and is kept`, async () => {
      await using service = await startService()
      await service.signUp('bad@example.com')
      await service.ctx.transaction((tx) =>
        tx.updateTable('outbox').set(values).where('kind', '=', 'verification').execute(),
      )
      service.advance(1)
      await service.signUp(email)

      await service.deliverMail()

      assert.equal(service.mailsTo(email).length, 1)
      const [bad] = await rows(service)
      assert.equal(bad?.kind, values.kind)
      assert.equal(bad.finished_at, null)
      assert.ok(service.logged.some((line) => line.includes(bad.id)))
    })
  }

  test('a row of a kind that only a newer program knows is left to it, untouched', async () => {
    await using service = await startService()
    await service.signUp('new@example.com')
    await service.ctx.transaction((tx) =>
      tx
        .updateTable('outbox')
        .set({ kind: 'postcard' })
        .where('kind', '=', 'verification')
        .execute(),
    )
    const before = await rows(service)
    service.advance(MINUTE_MS)
    await service.signUp(email)

    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 1)
    assert.deepEqual((await rows(service)).slice(0, 1), before)
  })

  test('who was not woken leaves a new mail to its writer for 2 s', async () => {
    await using service = await startService()
    await service.signUp(email)

    service.advance(2 * SECOND_MS - 1)
    const tooEarly = await deliver(service, service.mailer, false)
    service.advance(1)
    const due = await deliver(service, service.mailer, false)

    assert.deepEqual([tooEarly, due], [false, true])
    assert.equal(service.mailsTo(email).length, 1)
  })

  test('a finished row says nothing any more: its payload is blank', async () => {
    await using service = await startService()
    await service.registerUser(email)
    service.advance(1)
    await service.post('/api/v1/auth/verify/resend', { email })
    await service.deliverMail()

    const all = await rows(service)

    assert.deepEqual(
      all.map((row) => [row.kind, row.payload, row.finished_at !== null, row.claimed_until]),
      [
        ['verification', '{}', true, null],
        ['repeat_verification', '{}', true, null],
      ],
    )
  })

  test('no row ever holds a code or a password, waiting or done', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
    const seen: string[] = []
    const look = async () => void seen.push(JSON.stringify(await rows(service)))
    await service.signUp(email, 'canary-password-1', 'canary-name')
    await look()
    const code = await service.codeFor(email)
    await service.post('/api/v1/auth/verify/resend', { email })
    await look()
    await service.post('/api/v1/auth/verify', { email, code })
    await service.signUp(email, PASSWORD)
    await look()
    await service.deliverMail()
    await look()

    assert.equal(seen.length, 4)
    for (const text of seen) {
      assert.ok(!/canary|argon2/.test(text))
      assert.ok(!text.includes(PASSWORD))
      // As a word of its own: the digits may well occur inside an id.
      assert.ok(!new RegExp(`\\b${code}\\b`).test(text))
    }
  })
})
