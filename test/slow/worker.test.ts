import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDatabase } from '../../server/database/open.ts'
import { LANES } from '../../server/outbox/run.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { createDatabase } from '../support/cluster.ts'
import { askPatiently } from '../support/ask.ts'
import { temporaryFolder } from '../support/process.ts'
import { times } from '../support/races.ts'
import { type ServerProcess, startServer, startWorkerProcess } from '../support/server-process.ts'
import { PASSWORD } from '../support/service.ts'
import { type ScriptedSmtpServer, startSmtpServer } from '../support/smtp-server.ts'
import { until } from '../support/until.ts'

// Workers as processes of their own, in real time.

const WORKERS = 3
const SIGN_UPS = 60

let databases = 0
const on = {
  async sqlite(work: (url: string) => Promise<void>): Promise<void> {
    using folder = temporaryFolder()
    await work(`sqlite:///${folder.path}/app.db`)
  },
  async postgres(work: (url: string) => Promise<void>): Promise<void> {
    const server = process.env['TEST_POSTGRES_URL'] ?? ''
    await work(await createDatabase(server, `worker_${++databases}`))
  },
}

async function signUp({ url }: ServerProcess, email: string): Promise<void> {
  const answer = await askPatiently(url, '/auth/signup', { email, password: PASSWORD })
  assert.equal(answer.status, 201, JSON.stringify(answer))
}

async function statesIn(url: string): Promise<string[]> {
  const backend = await openDatabase(databaseUrl(url))
  try {
    const query = backend.reader.selectFrom('outbox').select('state')
    const rows = await query.where('kind', '=', 'verification').execute()
    return rows.map((row) => row.state)
  } finally {
    await backend.close()
  }
}
/** What is sent is never taken up again. */
const untilSent = (url: string) =>
  until('every outcome', async () => (await statesIn(url)).every((state) => state === 'sent'))

for (const [name, withDatabase] of Object.entries(on)) {
  describe(`workers on ${name}`, () => {
    test(`${WORKERS} at once send each mail once, and none is left`, async () => {
      await withDatabase(async (url) => {
        await using smtp = await startSmtpServer({ tls: 'none' })
        const answer = Promise.withResolvers<void>()
        smtp.behave({ data: answer.promise })
        await using server = await startServer({ ...settingsFor(url, smtp), RATE_LIMIT: 'off' })
        const emails = times(SIGN_UPS).map((n) => `user${n}@example.com`)
        for (const email of emails) await signUp(server, email)
        const senders = times(WORKERS).map((n) => `worker${n}@example.com`)
        const workers = await Promise.all(
          senders.map((sender) => startWorkerProcess(settingsFor(url, smtp, sender))),
        )
        try {
          // The mail server answers none until each worker has all that it takes at once.
          await smtp.got(WORKERS * LANES)
          const inHand = senders.map((sender) => sentBy(smtp, sender).length)
          answer.resolve()
          await untilSent(url)

          assert.deepEqual(
            inHand,
            senders.map(() => LANES),
          )
          assert.deepEqual(smtp.received.flatMap(({ to }) => to).toSorted(), emails.toSorted())
          assert.equal((await statesIn(url)).length, SIGN_UPS)
          assert.deepEqual(sentBy(smtp, SENDER), [])
        } finally {
          assert.deepEqual(await Promise.all(workers.map((worker) => worker.end())), [0, 0, 0])
        }
      })
    })

    test('one that is stopped with mail in hand, and goes on later, writes nothing of it', async () => {
      await withDatabase(async (url) => {
        await using smtp = await startSmtpServer({ tls: 'none' })
        const settings = settingsFor(url, smtp)
        const answer = Promise.withResolvers<void>()
        smtp.behave({ data: answer.promise })
        await using server = await startServer(settings)
        await using holder = await startWorkerProcess(settings)
        await signUp(server, 'ann@example.com')
        await smtp.got(1)
        holder.signal('SIGSTOP')
        await expireClaims(url)

        await using second = await startWorkerProcess(settings)
        await smtp.got(2)
        answer.resolve()
        await untilSent(url)
        const lost = ({ lines }: typeof holder) =>
          lines.some((line) => line.includes('claim lost to another worker'))
        holder.signal('SIGCONT')
        await until('the loss', () => lost(holder))

        assert.deepEqual(await statesIn(url), ['sent'])
        assertCopies(smtp.received, 2)
        assert.ok(!lost(second))
      })
    })

    test('SIGTERM finishes what is in hand, which nobody else sends, and takes up nothing more', async () => {
      await withDatabase(async (url) => {
        await using smtp = await startSmtpServer({ tls: 'none' })
        const answer = Promise.withResolvers<void>()
        smtp.behave({ data: answer.promise })
        await using server = await startServer(settingsFor(url, smtp))
        await using first = await startWorkerProcess(settingsFor(url, smtp, 'first@example.com'))
        await signUp(server, 'ann@example.com')
        await smtp.got(1)

        const ending = first.end()
        await signUp(server, 'bob@example.com')
        await using _ = await startWorkerProcess(settingsFor(url, smtp, 'second@example.com'))
        await smtp.got(2)
        answer.resolve()
        const exitCode = await ending
        await untilSent(url)

        assert.equal(exitCode, 0)
        assertCopies(smtp.mailsTo('ann@example.com'), 1)
        assert.deepEqual(sentBy(smtp, 'first@example.com'), smtp.mailsTo('ann@example.com'))
        assert.deepEqual(sentBy(smtp, 'second@example.com'), smtp.mailsTo('bob@example.com'))
      })
    })
  })
}

const SENDER = 'shop@example.com'

const settingsFor = (url: string, smtp: ScriptedSmtpServer, sender = SENDER) => ({
  DATABASE_URL: url,
  WORKER: 'separate',
  MAIL_URL: smtp.url('?tls=off'),
  MAIL_FROM: sender,
})
const sentBy = ({ received }: ScriptedSmtpServer, sender: string) =>
  received.filter(({ from }) => from === sender)

function assertCopies(copies: ScriptedSmtpServer['received'], count: number): void {
  assert.equal(copies.length, count)
  assert.equal(new Set(copies.map(({ messageId }) => messageId)).size, 1)
}

/** As if the claim of a minute had run out: nobody waits that long in a test. */
async function expireClaims(url: string): Promise<void> {
  const backend = await openDatabase(databaseUrl(url))
  const past = '2026-01-01T00:00:00.000Z'
  await backend.writer
    .updateTable('outbox')
    .set({ claimed_until: past })
    .where('claimed_until', 'is not', null)
    .execute()
  await backend.close()
}
