import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../server/errors.ts'
import { createDelivery, deliverNext } from '../server/jobs/delivery.ts'
import { SECOND_MS } from '../server/lib/units.ts'
import { MAIL_JOBS } from '../server/worker.ts'
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
