import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../server/errors.ts'
import { createDelivery, deliverNext } from '../server/jobs/delivery.ts'
import { MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { createDeliveries, MAIL_JOBS } from '../server/worker.ts'
import { outboxRows } from './support/mailers.ts'
import { startService } from './support/service.ts'

// A database that goes away while a worker has a message in hand.

const email = 'ann@example.com'

describe('a database that goes away', () => {
  test('while a message is made lets the others go first, and it waits for 10 s', async () => {
    await using service = await startService()
    await service.signUp('bad@example.com')
    service.advance(1)
    await service.signUp(email)
    let made = 0
    const jobs: typeof MAIL_JOBS = {
      ...MAIL_JOBS,
      async verification(ctx, payload) {
        if (++made === 1) throw new AppError('database_unavailable')
        return MAIL_JOBS.verification(ctx, payload)
      },
    }
    const delivery = createDelivery(service.ctx, {
      channel: 'mail',
      sender: service.mailer,
      jobs,
    })

    while (await deliverNext(delivery, true));
    const first = service.mailer.sent.map((mail) => mail.to)
    service.advance(10 * SECOND_MS)
    while (await deliverNext(delivery, true));

    assert.deepEqual(first, [email])
    assert.equal(service.mailsTo('bad@example.com').length, 1)
  })

  test('between what a row asks for and its end undoes both: a code is repeated once', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.deliverMail()
    service.advance(1)
    await service.post('/api/v1/auth/verify/resend', { email })
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
    const { mailer: mail, sms } = service
    const { mail: failing } = createDeliveries({ ...service.ctx, transaction }, { mail, sms })

    await deliverNext(failing, true)
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
    const delivery = createDelivery(
      { ...service.ctx, transaction },
      {
        channel: 'mail',
        sender: { ...service.mailer, timeoutMs: 10 * SECOND_MS },
        jobs: MAIL_JOBS,
      },
    )

    await deliverNext(delivery, true)

    assert.equal(failures, 2)
    assert.deepEqual(
      (await outboxRows(service)).map((row) => row.state),
      ['sent'],
    )
  })
})
