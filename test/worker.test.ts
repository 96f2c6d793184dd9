import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTestDatabase } from './support/database.ts'
import { startProgram } from './support/process.ts'
import { PASSWORD, SETTINGS } from './support/service.ts'

// The worker as a process of its own; test/slow/worker.test.ts has many of them.

const email = 'ann@example.com'
const CODE = /^🔑 Verification code for ann@example\.com: [0-9]{6}$/m

async function startOnDatabase(settings: Record<string, string>) {
  const database = await createTestDatabase()
  const env = { ...SETTINGS, ...settings, DATABASE_URL: database.url, PORT: '0' }
  const server = startProgram({ env })
  const signUp = async () => {
    const answer = await fetch(`${await server.url()}/auth/signup`, {
      method: 'POST',
      body: JSON.stringify({ email, password: PASSWORD }),
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(answer.status, 201)
  }
  return {
    server,
    env,
    signUp,
    startWorker: () => startProgram({ env, args: ['work'] }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await database.drop()
    },
  }
}

describe('npm run work', () => {
  test('does the background jobs, and with WORKER=separate nobody else does', async () => {
    await using shop = await startOnDatabase({ WORKER: 'separate' })
    await shop.signUp()
    await using worker = shop.startWorker()

    await worker.printed(CODE)
    await worker.printed(/"job":"clean-up".*"msg":"recurring job done"/)

    assert.doesNotMatch(shop.server.stdout(), /🔑|recurring/)
    assert.equal(worker.stdout().match(/🔑/g)?.length, 1)
  })

  test('may run beside a server with WORKER=inline: each mail is sent once', async () => {
    await using shop = await startOnDatabase({ WORKER: 'inline' })
    await using worker = shop.startWorker()
    await worker.printed(/worker runs background jobs/)

    await shop.signUp()

    // The server is woken by the sign-up; on a busy machine the worker may still be faster.
    await Promise.any([shop.server.printed(CODE), worker.printed(CODE)])
    for (const program of [shop.server, worker]) {
      program.child.kill('SIGTERM')
      await program.finished()
    }
    assert.equal((shop.server.stdout() + worker.stdout()).match(/🔑/g)?.length, 1)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`exits 0 on ${signal}, and says so`, async () => {
      await using shop = await startOnDatabase({ WORKER: 'separate' })
      await using worker = shop.startWorker()
      await worker.printed(/worker runs background jobs/)

      worker.child.kill(signal)

      const { exitCode, stdout, stderr } = await worker.finished()
      assert.deepEqual([exitCode, stderr], [0, ''])
      assert.match(stdout, /"msg":"stopped"\}\n$/)
    })
  }

  test('2 and the commands for an argument that it does not know', async () => {
    await using worker = startProgram({ args: ['work', '--hard'] })

    const { exitCode, stderr } = await worker.finished()

    assert.equal(exitCode, 2)
    assert.match(stderr, /npm run work/)
  })
})
