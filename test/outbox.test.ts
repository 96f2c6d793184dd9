import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../server/errors.ts'
import { claimMessage } from '../server/outbox/claims.ts'
import { createDelivery } from '../server/outbox/delivery.ts'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { LANES } from '../server/outbox/run.ts'
import { writeOutcome } from '../server/outbox/outcomes.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { DeliveryError } from '../server/outbox/transports/delivery-error.ts'
import { resendMail } from '../server/api/mail/mail.ts'
import { KINDS, kindsOf } from '../server/messages/kinds.ts'
import {
  claimUpTo,
  createFailingMailer,
  createHangingMailer,
  createScriptedMailer,
  deliverAll,
  deliverBy,
  deliverNext,
  deliverOne,
  deliveryBy,
  failedMail,
  LATER,
  outboxRow,
  outboxRows,
  REFUSED,
  UNCONFIRMED,
} from './support/mailers.ts'
import { assertProblem } from './support/problem.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

// What becomes of a message: by what its transport says, when workers end with it in hand, when the
// database goes away meanwhile, and when its user is deleted.

const email = 'ann@example.com'
const RESEND = '/api/v1/auth/verify/resend'
/** How long a worker holds a message. */
const CLAIM_MS = 2 * SECOND_MS

const claim = ({ ctx, clock }: Service) =>
  ctx.transaction((tx) =>
    claimMessage(tx, {
      channel: 'mail',
      kinds: { verification: KINDS.verification },
      nowMs: clock.nowMs,
      claimMs: CLAIM_MS,
      woken: true,
    }),
  )
const updateVerification = ({ ctx }: Service, values: object) =>
  ctx.transaction((tx) =>
    tx.updateTable('outbox').set(values).where('kind', '=', 'verification').execute(),
  )
const states = async (service: Service) => (await outboxRows(service)).map((row) => row.state)

describe('a message', () => {
  test('of a sign-up that is rolled back is not there', async () => {
    await using service = await startService()

    const failing = service.ctx.transaction(async (tx) => {
      await enqueueMessage(tx, 'already_registered', { email }, { nowMs: service.clock.nowMs })
      throw new Error('rolled back')
    })

    await assert.rejects(failing, /rolled back/)
    assert.deepEqual(await outboxRows(service), [])
  })

  test('is claimed by one of ten workers on two replicas', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    await service.signUp(email)

    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => claim(n % 2 ? service : replica)),
    )

    assert.equal(claims.filter((claim) => claim !== undefined).length, 1)
  })

  test('is sent once: twenty by four workers on two replicas', async () => {
    await using service = await startService()
    await using replica = await startService({}, { replicaOf: service })
    for (let n = 0; n < 20; n++) await service.signUp(`user${n}@example.com`)

    await Promise.all([service, replica, service, replica].map((one) => one.deliverMail()))

    const to = service.mailer.sent.map((mail) => mail.to)
    assert.equal(to.length, 20)
    assert.equal(new Set(to).size, 20)
  })

  test('is sent before those that became due later', async () => {
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

  test('of a kind that only a newer program knows is left to it, untouched', async () => {
    await using service = await startService()
    await service.signUp('new@example.com')
    await updateVerification(service, { kind: 'postcard' })
    const before = await outboxRows(service)
    service.advance(MINUTE_MS)
    await service.signUp(email)

    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 1)
    assert.deepEqual((await outboxRows(service)).slice(0, 1), before)
  })

  test('that is new is left to its writer for 2 s by who was not woken', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = deliveryBy(service, service.mailer)

    service.advance(2 * SECOND_MS - 1)
    const tooEarly = await deliverNext(delivery, false)
    service.advance(1)
    const due = await deliverNext(delivery, false)

    assert.deepEqual([tooEarly, due], [false, true])
    assert.equal(service.mailsTo(email).length, 1)
  })

  test('that was sent says where to, and nothing else any more', async () => {
    await using service = await startService()
    await service.signUp('Ann@Example.com')
    service.advance(1)
    await service.post(RESEND, { email })

    await service.deliverMail()

    const rows = await outboxRows(service)
    assert.deepEqual(Object.fromEntries(rows.map((row) => [row.kind, row.state])), {
      verification: 'sent',
      repeat_verification: 'dropped',
      verification_again: 'sent',
    })
    for (const { kind, recipient } of rows)
      assert.equal(recipient, kind === 'repeat_verification' ? null : 'Ann@Example.com')
    for (const { payload, last_error, claimed_until, finished_at } of rows) {
      assert.deepEqual([payload, last_error, claimed_until], ['{}', null, null])
      assert.notEqual(finished_at, null)
    }
  })

  test('whose code expired before it could be sent is dropped', async () => {
    await using service = await startService({ VERIFICATION_CODE_EXPIRE_HOURS: '1' })
    await service.signUp(email)
    service.advance(HOUR_MS)

    await service.deliverMail()

    const row = await outboxRow(service)
    assert.deepEqual([row.state, row.recipient, row.payload], ['dropped', null, '{}'])
    assert.deepEqual(service.mailsTo(email), [])
  })

  test('that is to be tried later is tried eight times over 24 hours, with one id, then dead', async () => {
    await using service = await startService({
      VERIFICATION_CODE_EXPIRE_HOURS: '168',
      UNVERIFIED_USER_TTL_HOURS: '168',
    })
    await service.signUp(email)
    const mailer = createFailingMailer(LATER)
    const startedAtMs = service.clock.nowMs
    const waits: number[] = []
    for (let n = 1; n < 8; n++) {
      assert.equal(await deliverOne(service, mailer), true)
      const row = await outboxRow(service)
      const waitMs = Date.parse(row.due_at) - service.clock.nowMs
      assert.deepEqual([row.state, row.refusals], ['waiting', n])
      waits.push(waitMs / MINUTE_MS)
      service.advance(waitMs - 1)
      assert.equal(await deliverOne(service, mailer), false)
      service.advance(1)
    }

    assert.equal(await deliverOne(service, mailer), true)

    const row = await outboxRow(service)
    assert.deepEqual(waits, [5, 15, 40, 60, 240, 360, 720])
    assert.equal(service.clock.nowMs - startedAtMs, DAY_MS)
    assert.deepEqual([mailer.ids.length, new Set(mailer.ids).size], [8, 1])
    assert.deepEqual([row.state, row.last_error], ['dead', LATER.message])
    assert.notEqual(row.payload, '{}')
    service.advance(DAY_MS)
    assert.equal(await deliverOne(service, mailer), false)
  })

  test('that was refused bounces at once, and is kept for an admin', async () => {
    await using service = await startService()
    await service.signUp(email)

    await deliverOne(service, createFailingMailer(REFUSED))

    const row = await outboxRow(service)
    assert.deepEqual(
      [row.state, row.recipient, row.last_error],
      ['bounced', email, REFUSED.message],
    )
    assert.notEqual(row.payload, '{}')
    assert.notEqual(row.finished_at, null)
    service.advance(DAY_MS)
    assert.equal(await service.deliverMail(), 1, 'the reminder alone')
  })

  test('that nobody confirmed comes once more after five minutes, and never a third time', async () => {
    await using service = await startService()
    await service.signUp(email)
    const mailer = createFailingMailer(UNCONFIRMED)

    await deliverOne(service, mailer)
    service.advance(5 * MINUTE_MS - 1)
    const tooEarly = await deliverOne(service, mailer)
    service.advance(1)
    await deliverOne(service, mailer)
    service.advance(HOUR_MS)
    const third = await deliverOne(service, mailer)

    assert.deepEqual([tooEarly, third], [false, false])
    assert.deepEqual([mailer.ids.length, new Set(mailer.ids).size], [2, 1])
    assert.equal((await outboxRow(service)).state, 'dead')
  })

  for (const [why, payload] of [
    ['a payload of another shape', 'null'],
    ['a broken payload', '{'],
  ] as const) {
    test(`with ${why} is a bug of ours: it holds up nobody, and is dead after three tries`, async () => {
      await using service = await startService()
      await service.signUp('bad@example.com')
      await updateVerification(service, { payload })
      const { id } = await outboxRow(service)
      service.advance(1)
      await service.signUp(email)

      const states: (string | undefined)[] = []
      for (let n = 0; n < 4; n++) {
        await service.deliverMail()
        states.push((await outboxRows(service))[0]?.state)
        service.advance(15 * MINUTE_MS)
      }

      assert.equal(service.mailsTo(email).length, 1)
      assert.deepEqual(states, ['waiting', 'waiting', 'dead', 'dead'])
      const [bad] = await outboxRows(service)
      assert.match(bad?.last_error ?? '', /^\w*Error$/)
      assert.deepEqual([bad?.refusals, bad?.crashes, bad?.bugs], [0, 0, 3])
      assert.ok(service.logged.some((line) => line.includes(id)))
    })
  }

  for (const counts of [{ refusals: 7 }, { crashes: 2 }, { unconfirmed: 1 }]) {
    test(`with ${Object.keys(counts).join()} is not given up any sooner for a bug of ours`, async () => {
      await using service = await startService()
      await service.signUp(email)
      await updateVerification(service, { ...counts, payload: '{' })

      for (let n = 0; n < 2; n++) {
        await deliverOne(service, service.mailer)
        service.advance(15 * MINUTE_MS)
      }

      const { state, bugs } = await outboxRow(service)
      assert.deepEqual([state, bugs], ['waiting', 2])
    })
  }

  test('whose sender throws what it should not is a bug of ours, too', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = /\b\d{6}\b/
    const mailer = createScriptedMailer((mail) => new Error(`it broke: ${mail.text}`))

    await deliverOne(service, mailer)

    const row = await outboxRow(service)
    assert.deepEqual([row.state, row.bugs, row.last_error], ['waiting', 1, 'Error'])
    assert.doesNotMatch(JSON.stringify({ ...row, id: '', payload: '' }), code)
  })

  test('keeps of what the server said neither codes, keys nor controls, and at most 200 characters', async () => {
    await using service = await startService()
    await service.signUp(email)
    const key = 'SG.aBcdefghijklmnopqrstuvwxyz0123456789'
    let code = ''
    const mailer = createScriptedMailer((mail) => {
      code = /\b\d{6}\b/.exec(mail.text)?.[0] ?? ''
      return new DeliveryError('later', `450\r\n4.7.1 ${code} ${key} ${'to big '.repeat(99)}`)
    })

    await deliverOne(service, mailer)

    const { last_error: kept } = await outboxRow(service)
    assert.match(code, /^\d{6}$/)
    assert.match(kept ?? '', /^450 4\.7\.1 … SG\.… to big /)
    assert.equal(kept?.length, 200)
    assert.ok(!service.logged.some((line) => line.includes(code) || line.includes(key)))
  })

  test('no row ever holds a code or a password, waiting or done', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
    const seen: string[] = []
    const look = async () => void seen.push(JSON.stringify(await outboxRows(service)))
    await service.signUp(email, 'canary-password-1', 'canary-name')
    await look()
    const code = await service.codeFor(email)
    await service.post(RESEND, { email })
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

describe('a worker that ends with a message in hand', () => {
  /** Takes a message and is never heard of again; `advance` ends its claim. */
  async function crash(service: Service): Promise<boolean> {
    const mailer = createHangingMailer()
    const taken = await deliveryBy(service, mailer).claim({ woken: true })
    service.advance(CLAIM_MS)
    return taken !== undefined
  }

  test('is followed by another twice; the third time the message is given up until an admin resends it', async () => {
    await using service = await startService()
    await service.signUp(email)
    assert.deepEqual(
      [await crash(service), await crash(service), await crash(service)],
      [true, true, true],
    )

    const taken = await deliverOne(service, service.mailer)
    service.advance(HOUR_MS)
    await service.deliverMail()

    const row = await outboxRow(service)
    assert.equal(taken, false)
    assert.deepEqual(service.mailsTo(email), [])
    assert.deepEqual([row.state, row.crashes, row.claimed_until], ['dead', 3, null])
    assert.match(row.last_error ?? '', /^3 workers ended/)
    assert.notEqual(row.payload, '{}')
    await resendMail(service.ctx, row.id)
    const again = await outboxRow(service)
    assert.deepEqual([again.state, again.crashes], ['waiting', 0])
  })

  test('holds up no other message', async () => {
    await using service = await startService()
    await service.signUp(email)
    for (let n = 0; n < 3; n++) await crash(service)
    await service.signUp('bob@example.com')

    await service.deliverMail()

    assert.deepEqual(
      service.mailer.sent.map((mail) => mail.to),
      ['bob@example.com'],
    )
  })

  test('by the doing of one message costs no other: those with which one ended come one at a time', async () => {
    await using service = await startService()
    await service.signUp('poison@example.com')
    for (const name of ['ann', 'bob', 'cay']) {
      service.advance(1)
      await service.signUp(`${name}@example.com`)
    }
    service.advance(1)
    const poison = (await outboxRows(service))[0]?.id
    /** Takes what it can, and ends with all of it in hand if the poison is among it. */
    async function work(): Promise<void> {
      const delivery = deliveryBy(service, service.mailer)
      const held = await claimUpTo(LANES, delivery)
      if (held.some(({ id }) => id === poison)) return
      for (const claimed of held) await delivery.deliver(claimed)
    }

    for (let n = 0; n < 8; n++) {
      await work()
      service.advance(CLAIM_MS)
    }

    const rows = await outboxRows(service)
    assert.deepEqual(
      rows.map((row) => row.state),
      ['dead', 'sent', 'sent', 'sent'],
    )
    assert.ok(Math.max(...rows.slice(1).map((row) => row.crashes)) < 3)
  })

  test('and whose clock ran ahead holds its message no longer than any other', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(HOUR_MS)
    assert.ok(await deliveryBy(service, service.mailer).claim({ woken: true }))

    service.advance(-HOUR_MS)
    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 1)
  })

  test('and wakes up later, before it sent anything, sends nothing', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = deliveryBy(service, service.mailer)
    const held = await delivery.claim({ woken: true })
    assert.ok(held)
    service.advance(CLAIM_MS)
    await service.deliverMail()

    await delivery.deliver(held)

    assert.equal(service.mailsTo(email).length, 1)
    assert.equal((await outboxRow(service)).state, 'sent')
  })

  test('or wakes up before anybody took it over gives it back: no worker ended', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = deliveryBy(service, service.mailer)
    for (let n = 0; n < 4; n++) {
      const held = await delivery.claim({ woken: true })
      assert.ok(held)
      service.advance(CLAIM_MS)
      await delivery.deliver(held)
    }

    const row = await outboxRow(service)
    assert.deepEqual([row.claimed_until, row.crashes, row.state], [null, 0, 'waiting'])
    assert.deepEqual(service.mailer.sent, [])
  })

  test('that it had sent and not finished has it sent again, with the same id', async () => {
    await using service = await startService()
    await service.signUp(email)
    const killed = createHangingMailer()
    // It never comes back: what would follow the hand-over never happens.
    void deliverOne(service, killed)
    await killed.taken

    service.advance(CLAIM_MS - 1)
    const tooEarly = await deliverOne(service, service.mailer)
    service.advance(1)
    const survivor = createFailingMailer()
    await deliverOne(service, survivor)

    assert.equal(tooEarly, false)
    assert.deepEqual(survivor.ids, killed.ids)
    assert.equal(survivor.ids.length, 1)
  })
})

describe('a worker whose claim was taken over', () => {
  for (const [what, answer] of [
    ['finishes', (slow) => slow.resolve()],
    ['postpones', (slow) => slow.reject(LATER)],
  ] as [string, (slow: PromiseWithResolvers<void>) => void][]) {
    test(`${what} nothing`, async () => {
      await using service = await startService()
      await service.signUp(email)
      const [slow, second] = [createHangingMailer(), createHangingMailer()]
      const first = deliverOne(service, slow)
      await slow.taken
      service.advance(CLAIM_MS)
      const taking = deliverOne(service, second)
      await second.taken
      const held = await outboxRow(service)

      answer(slow.answer)
      await first
      const whileHeld = await outboxRow(service)
      second.answer.resolve()
      await taking

      assert.deepEqual(whileHeld, held)
      assert.deepEqual([held.finished_at, (await outboxRow(service)).state], [null, 'sent'])
    })
  }

  test('changes nothing by a late success: finishing is final', async () => {
    await using service = await startService()
    await service.signUp(email)
    const held = await claim(service)
    assert.ok(held)
    service.advance(CLAIM_MS)
    await service.deliverMail()
    const done = await outboxRows(service)

    const late = { nowMs: service.clock.nowMs + MINUTE_MS, state: 'sent' } as const
    const finished = await service.ctx.transaction((tx) => writeOutcome(tx, held, late))

    assert.equal(finished, false)
    assert.deepEqual(await outboxRows(service), done)
  })
})

describe('a database that goes away', () => {
  test('while a message is made lets the others go first, and it waits for 10 s', async () => {
    await using service = await startService()
    await service.signUp('bad@example.com')
    service.advance(1)
    await service.signUp(email)
    let made = 0
    const make: typeof KINDS.verification.make = (ctx, payload) => {
      if (++made === 1) throw new AppError('database_unavailable')
      return KINDS.verification.make(ctx, payload)
    }
    const kinds = { ...kindsOf('mail'), verification: { ...KINDS.verification, make } }
    const { mailer: sender } = service
    const delivery = createDelivery(service.ctx, { channel: 'mail', sender, kinds })

    await deliverAll(delivery)
    const first = service.mailer.sent.map((mail) => mail.to)
    service.advance(10 * SECOND_MS)
    await deliverAll(delivery)

    assert.deepEqual(first, [email])
    assert.equal(service.mailsTo('bad@example.com').length, 1)
  })

  test('between what a row asks for and its end undoes both: a code is repeated once', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.deliverMail()
    service.advance(1)
    await service.post(RESEND, { email })
    let failures = 0
    /** Fails as it would commit the end of the row. */
    const transaction: typeof service.ctx.transaction = (run) =>
      service.ctx.transaction(async (tx) => {
        const done = await run(tx)
        const ended = await tx
          .selectFrom('outbox')
          .select('id')
          .where('kind', '=', 'repeat_verification')
          .where('finished_at', 'is not', null)
          .executeTakeFirst()
        if (ended !== undefined && failures++ === 0) throw new AppError('database_unavailable')
        return done
      })
    const failing = { ...service, ctx: { ...service.ctx, transaction } }

    await deliverOne(failing, service.mailer)
    // Past the pause between two repeats, which would hide the second one.
    service.advance(2 * MINUTE_MS)
    await service.deliverMail()

    assert.equal(failures, 1)
    assert.deepEqual(
      (await outboxRows(service)).map((row) => row.kind),
      ['verification', 'repeat_verification', 'verification_again'],
    )
    assert.equal(service.mailsTo(email).length, 2)
  })

  test('right after a hand-over is asked again: nothing is sent twice', async () => {
    await using service = await startService()
    await service.signUp(email)
    let failures = 0
    const transaction: typeof service.ctx.transaction = async (run) => {
      if (service.mailer.sent.length > 0 && failures++ === 0) {
        throw new AppError('database_unavailable')
      }
      return service.ctx.transaction(run)
    }
    const failing = { ...service, ctx: { ...service.ctx, transaction } }

    await deliverOne(failing, { ...service.mailer, timeoutMs: 10 * SECOND_MS })

    assert.equal(failures, 2)
    assert.deepEqual(await states(service), ['sent'])
  })
})

describe('the deletion of a user', () => {
  /** What the admin is mailed of the deletion is not of the user. */
  const rowsBeside = async (service: Service, admin: { id: number }) =>
    (await outboxRows(service)).filter((row) => row.user_id !== admin.id)
  const statesBeside = async (service: Service, admin: { id: number }) =>
    (await rowsBeside(service, admin)).map(({ state }) => state)

  test('blanks what was sent and drops what waits or had failed', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    const ann = await service.registerUser(email)
    await service.post(RESEND, { email })
    await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })
    await deliverBy(service, () => REFUSED)

    await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })

    const rows = await outboxRows(service)
    const hers = await rowsBeside(service, admin)
    assert.ok(hers.length >= 2)
    for (const row of hers) {
      assert.ok(['sent', 'dropped'].includes(row.state), row.state)
      assert.deepEqual(
        [row.recipient, row.email_canonical, row.payload, row.last_error],
        [null, null, '{}', null],
      )
    }
    assert.ok(!JSON.stringify(rows).includes(email))
  })

  test('drops what had bounced: nobody can have it sent again', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    const { id, userId } = await failedMail(service, email)

    await service.delete(`/api/v1/users/${userId}`, { token: admin.access })

    const url = `/api/v1/mail/${id}/resend`
    assertProblem(await service.post(url, undefined, { token: admin.access }), 'mail_not_failed')
    assert.deepEqual(await statesBeside(service, admin), ['dropped'])
  })

  test('takes its mail out of the hands of a worker, who writes nothing more', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    await service.signUp(email)
    const slow = createHangingMailer()
    const sending = deliverOne(service, slow)
    await slow.taken

    await service.delete(`/api/v1/users/${admin.id + 1}`, { token: admin.access })
    slow.answer.reject(REFUSED)
    await sending

    assert.ok(!JSON.stringify(await outboxRows(service)).includes(email))
    assert.deepEqual(await statesBeside(service, admin), ['dropped'])
  })
})
