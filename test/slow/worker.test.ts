import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/lib/setting-types.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import { createDatabase, startCluster } from '../support/cluster.ts'
import { ask } from '../support/kill-load.ts'
import {
  type ServerProcess,
  startServer,
  startWorkerProcess,
  type WorkerProcess,
} from '../support/server-process.ts'
import { PASSWORD } from '../support/service.ts'
import { type ScriptedSmtpServer, startSmtpServer } from '../support/smtp-server.ts'

// Workers as processes of their own, in real time.

const WORKERS = 3
const SIGN_UPS = 60
/** How long a claim lasts with console mail. */
const CLAIM_MS = 2 * SECOND_MS

const on = {
  async sqlite(work: (url: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-worker-'))
    try {
      await work(`sqlite:///${join(folder, 'app.db')}`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  async postgres(work: (url: string) => Promise<void>): Promise<void> {
    const cluster = await startCluster({ durable: false })
    try {
      await work(await createDatabase(cluster.url, 'worker'))
    } finally {
      await cluster.stop()
    }
  },
}

/** Counts the copies of each address's mail, whoever printed them. */
function createCounter() {
  const copies = new Map<string, number>()
  return {
    copies,
    hear(line: string) {
      const email = /^🔑 Verification code for (\S+): \d{6}$/.exec(line)?.[1]
      if (email !== undefined) copies.set(email, (copies.get(email) ?? 0) + 1)
    },
  }
}

async function signUp({ url }: ServerProcess, email: string): Promise<void> {
  const answer = await ask(url, '/auth/signup', { email, password: PASSWORD })
  assert.equal(answer?.status, 201, JSON.stringify(answer))
}

async function until(condition: () => boolean, patienceMs = 30 * SECOND_MS): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it never came about')
    await delay(20)
  }
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

for (const [name, withDatabase] of Object.entries(on)) {
  describe(`workers on ${name}`, () => {
    test(`${WORKERS} at once send each mail once, and none is left`, async () => {
      await withDatabase(async (url) => {
        const settings = {
          DATABASE_URL: url,
          WORKER: 'separate',
          HASH_QUEUE: '1000',
          RATE_LIMIT: 'off',
        }
        const counter = createCounter()
        await using server = await startServer(settings, counter.hear)
        const start = () => startWorkerProcess(settings, counter.hear)
        const workers = await Promise.all(Array.from({ length: WORKERS }, start))
        try {
          const emails = Array.from({ length: SIGN_UPS }, (_, n) => `user${n}@example.com`)
          for (let n = 0; n < SIGN_UPS; n += 6)
            await Promise.all(emails.slice(n, n + 6).map((email) => signUp(server, email)))

          await until(() => counter.copies.size === SIGN_UPS)
          // A second copy would come once a claim has run out.
          await delay(CLAIM_MS + 3 * SECOND_MS)

          assert.deepEqual([...new Set(counter.copies.values())], [1])
          assert.ok((await statesIn(url)).every((state) => state === 'sent'))
          const busy = workers.filter(({ lines }) => lines.some((line) => line.startsWith('🔑')))
          // SQLite has one writer at a time, and the one that has just written is often the next.
          const least = url.startsWith('sqlite') ? 1 : 2
          assert.ok(busy.length >= least, `only ${busy.length} worked`)
          assert.ok(!server.lines.some((line) => line.startsWith('🔑')))
        } finally {
          for (const worker of workers) worker.signal('SIGTERM')
          assert.deepEqual(await Promise.all(workers.map(({ ended }) => ended)), [0, 0, 0])
        }
      })
    })

    test('one that is stopped with mail in hand, and goes on later, settles nothing of it', async () => {
      await withDatabase(async (url) => {
        await using smtp = await startSmtpServer({ tls: 'none' })
        const settings = smtpSettings(url, smtp)
        const answer = Promise.withResolvers<void>()
        smtp.behave({ data: answer.promise })
        await using server = await startServer(settings)
        await using holder = await startWorkerProcess(settings)
        await signUp(server, 'ann@example.com')
        await until(() => smtp.received.length === 1)
        holder.signal('SIGSTOP')
        await expireClaims(url)

        await using second = await startWorkerProcess(settings)
        await until(() => smtp.received.length === 2)
        answer.resolve()
        await settled(url)
        const before = await statesIn(url)
        holder.signal('SIGCONT')
        await delay(4 * SECOND_MS)

        assert.deepEqual(before, ['sent'])
        assert.deepEqual(await statesIn(url), ['sent'])
        assertCopies(smtp, 2)
        assert.ok(logged(holder, 'message lost to another worker'))
        assert.ok(!logged(second, 'message lost to another worker'))
      })
    })

    test('SIGTERM finishes what is in hand: it is sent once, by nobody else', async () => {
      await withDatabase(async (url) => {
        await using smtp = await startSmtpServer({ tls: 'none' })
        const settings = smtpSettings(url, smtp)
        const answer = Promise.withResolvers<void>()
        smtp.behave({ data: answer.promise })
        await using server = await startServer(settings)
        await using worker = await startWorkerProcess(settings)
        await signUp(server, 'ann@example.com')
        await until(() => smtp.received.length === 1)

        worker.signal('SIGTERM')
        await signUp(server, 'bob@example.com')
        await delay(SECOND_MS)
        answer.resolve()
        const exitCode = await worker.ended

        assert.equal(exitCode, 0)
        assertCopies(smtp, 1)
        assert.deepEqual((await statesIn(url)).toSorted(), ['sent', 'waiting'])
      })
    })
  })
}

const smtpSettings = (url: string, smtp: ScriptedSmtpServer) => ({
  DATABASE_URL: url,
  WORKER: 'separate',
  MAIL_URL: smtp.url('?tls=off'),
  MAIL_FROM: 'shop@example.com',
})

function assertCopies({ received }: ScriptedSmtpServer, count: number): void {
  assert.equal(received.length, count)
  assert.equal(new Set(received.map(({ messageId }) => messageId)).size, 1)
}

const logged = ({ lines }: WorkerProcess, message: string) =>
  lines.some((line) => line.includes(message))

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

async function settled(url: string): Promise<void> {
  const deadline = performance.now() + 20 * SECOND_MS
  while ((await statesIn(url)).includes('waiting')) {
    assert.ok(performance.now() < deadline, 'it still waits')
    await delay(100)
  }
}
