import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failedMail, outboxRows } from './support/mailers.ts'
import { runProgram } from './support/process.ts'
import { SETTINGS, startService } from './support/service.ts'

const UNKNOWN = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'

/** A service whose clock is that of the commands, one message that bounced and one that was sent. */
async function startWithMail() {
  const service = await startService({}, { nowMs: Date.now() })
  await service.registerUser('sent@example.com')
  const { id } = await failedMail(service, 'ann@example.com')
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl }
  const run = (...args: string[]) => runProgram(['mail', ...args], { env })
  return { service, id, run, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe('the mail commands', () => {
  test('0 list prints a line for each message, or for those of a state and kind', async () => {
    await using program = await startWithMail()

    const all = await program.run('list')
    const bounced = await program.run('list', '--state', 'bounced')
    const none = await program.run('list', '--state', 'dead', '--kind', 'verification')

    assert.deepEqual([all.exitCode, bounced.exitCode, none.exitCode], [0, 0, 0], all.stderr)
    assert.deepEqual(
      linesOf(all.stdout)
        .map((mail) => `${mail.kind} ${mail.state}`)
        .toSorted(),
      ['reminder waiting', 'reminder waiting', 'verification bounced', 'verification sent'],
    )
    assert.deepEqual(
      linesOf(bounced.stdout).map((mail) => [mail.id, mail.recipient]),
      [[program.id, 'ann@example.com']],
    )
    assert.equal(none.stdout, '')
    assert.doesNotMatch(all.stdout, /payload|signUpId/)
  })

  test('0 show prints a message, without what it is made of', async () => {
    await using program = await startWithMail()

    const { exitCode, stdout } = await program.run('show', program.id)

    assert.equal(exitCode, 0)
    const [mail] = linesOf(stdout)
    assert.deepEqual([mail.state, mail.recipient], ['bounced', 'ann@example.com'])
    assert.match(mail.last_error, /^550 /)
    assert.equal(mail.payload, undefined)
  })

  test('0 resend lets it wait again, and records that an operator did it', async () => {
    await using program = await startWithMail()

    const { exitCode, stdout } = await program.run('resend', program.id)
    const again = await program.run('resend', program.id)

    assert.equal(exitCode, 0)
    assert.equal(linesOf(stdout)[0].state, 'waiting')
    assert.equal(again.exitCode, 1)
    assert.match(again.stderr, /^mail_not_failed: /)
    const { service } = program
    service.clock.nowMs = Date.now()
    await service.deliverMail()
    assert.ok((await outboxRows(service)).every((row) => row.state === 'sent'))
    const [event, ...others] = await service.ctx.db
      .selectFrom('audit_events')
      .select(['event', 'actor_id'])
      .where('event', '=', 'mail.resent')
      .execute()
    assert.deepEqual([event?.actor_id, others.length], [null, 0])
  })

  test('0 resend --state sends all of that state again, the bounced only with --yes', async () => {
    await using program = await startWithMail()
    const { service } = program
    const dead = await failedMail(service, 'bob@example.com')
    await service.ctx.transaction((tx) =>
      tx.updateTable('outbox').set({ state: 'dead' }).where('id', '=', dead.id).execute(),
    )

    const refused = await program.run('resend', '--state', 'bounced')
    const other = await program.run('resend', '--state', 'dead', '--kind', 'reminder')
    const all = await program.run('resend', '--state', 'dead')
    const bounced = await program.run('resend', '--state', 'bounced', '--yes')

    assert.deepEqual(
      [other, all].map(({ stderr }) => /^.* messages? waits? again\.$/m.exec(stderr)?.[0]),
      ['0 messages wait again.', '1 message waits again.'],
    )
    assert.equal(refused.exitCode, 2)
    assert.match(refused.stderr, /--yes/)
    const ids = [refused, other, all, bounced].map(({ stdout }) =>
      linesOf(stdout).map((mail) => mail.id),
    )
    assert.deepEqual(ids, [[], [], [dead.id], [program.id]])
    const rows = await outboxRows(service)
    assert.ok(rows.every((row) => row.state === 'waiting' || row.state === 'sent'))
    const events = await service.ctx.db.selectFrom('audit_events').select('event').execute()
    assert.equal(events.filter(({ event }) => event === 'mail.resent').length, 2)
  })

  test('1 not_found for an unknown message', async () => {
    await using program = await startWithMail()

    for (const name of ['show', 'resend']) {
      const { exitCode, stdout, stderr } = await program.run(name, UNKNOWN)
      assert.deepEqual([exitCode, stdout], [1, ''])
      assert.equal(stderr, `not_found: There is no message ${UNKNOWN}.\n`)
    }
  })

  for (const args of [
    ['list', '--state', 'lost'],
    ['list', '--kind', 'foo'],
    ['list', 'dead'],
    ['resend', '--state', 'dead', '--kind', 'foo'],
    ['show'],
    ['show', '7'],
    ['resend', UNKNOWN, UNKNOWN],
    ['resend', '--state', 'sent', '--yes'],
    ['resend', UNKNOWN, '--state', 'dead'],
  ]) {
    test(`2 and the usage for: mail ${args.join(' ')}`, async () => {
      const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:' }

      const { exitCode, stdout, stderr } = await runProgram(['mail', ...args], { env })

      assert.deepEqual([exitCode, stdout], [2, ''])
      assert.match(stderr, /usage: npm run cli -- mail /)
    })
  }
})
