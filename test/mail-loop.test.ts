import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runMailLoop } from '../server/jobs/run.ts'
import type { Mail } from '../server/mail/messages.ts'
import { MAIL_JOBS } from '../server/worker.ts'
import { startService } from './support/service.ts'

/** Tells when a mail arrives; each waits until it is let go. */
function createGate() {
  const arrived: Mail[] = []
  const letGo: (() => void)[] = []
  let announce = () => {}
  return {
    arrived,
    letGo: () => letGo.shift()?.(),
    /** Resolves once `count` mails have arrived. */
    async reached(count: number): Promise<void> {
      while (arrived.length < count) await new Promise<void>((resolve) => (announce = resolve))
    },
    send(mail: Mail): Promise<void> {
      arrived.push(mail)
      announce()
      return new Promise((resolve) => letGo.push(resolve))
    },
  }
}

describe('the mail loop', () => {
  test('sends what lies there at its start, and what it is woken for', async () => {
    await using service = await startService()
    const gate = createGate()
    await service.signUp('ann@example.com')
    const loop = runMailLoop(service.ctx, gate, MAIL_JOBS)

    await gate.reached(1)
    gate.letGo()
    await service.signUp('bob@example.com')
    loop.wake()
    await gate.reached(2)
    gate.letGo()
    await loop.stop()

    assert.deepEqual(
      gate.arrived.map((mail) => mail.to),
      ['ann@example.com', 'bob@example.com'],
    )
  })

  test('a wake-up while a mail is in hand is not lost', async () => {
    await using service = await startService()
    const gate = createGate()
    await service.signUp('ann@example.com')
    const loop = runMailLoop(service.ctx, gate, MAIL_JOBS)
    await gate.reached(1)

    await service.signUp('bob@example.com')
    loop.wake()
    gate.letGo()
    await gate.reached(2)
    gate.letGo()
    await loop.stop()

    assert.equal(gate.arrived[1]?.to, 'bob@example.com')
  })

  test('stopping finishes the mail in hand and takes no other', async () => {
    await using service = await startService()
    const gate = createGate()
    await service.signUp('ann@example.com')
    service.advance(1)
    await service.signUp('bob@example.com')
    const loop = runMailLoop(service.ctx, gate, MAIL_JOBS)
    await gate.reached(1)

    const stopping = loop.stop()
    gate.letGo()
    await stopping

    const rows = await service.ctx.db
      .selectFrom('outbox')
      .select(['claims', 'finished_at'])
      .orderBy('due_at')
      .execute()
    assert.deepEqual(
      rows.map((row) => [row.claims, row.finished_at !== null]),
      [
        [1, true],
        [0, false],
      ],
    )
    assert.equal(gate.arrived.length, 1)
  })
})
