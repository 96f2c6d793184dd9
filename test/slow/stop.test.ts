import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startProgram, temporaryFolder } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { startServer, startWorkerProcess } from '../support/server-process.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { fetchPatiently, until } from '../support/until.ts'

// Who never says all must not keep a stopping service from closing what it opened: after fifteen
// seconds it would end without saying "stopped".

describe('a stop', { concurrency: true }, () => {
  for (const [what, half] of [
    ['head', 'GET /health HTTP/1.1\r\nHos'],
    [
      'body',
      'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
    ],
  ] as const) {
    test(`a half-sent ${what} is cut off: mail and database are closed, and the exit code is 1`, async () => {
      using folder = temporaryFolder()
      const file = join(folder.path, 'app.db')
      const env = { ...SETTINGS, DATABASE_URL: `sqlite:///${file}`, PORT: '0' }
      await using program = startProgram({ env })
      const url = await program.url()
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      const hungUp = new Promise((resolve) => socket.once('error', () => {}).once('close', resolve))
      await new Promise((resolve) => socket.write(half, resolve))
      // Answered after it was sent: the half request has arrived, too.
      assert.equal((await fetchPatiently(`${url}/ready`)).status, 200)

      program.child.kill('SIGTERM')
      const { exitCode, stdout, stderr } = await program.finished()
      await hungUp

      assert.equal(exitCode, 1, stderr)
      assert.match(stdout, /"msg":"stopping: closing the remaining connections"\}\n/)
      assert.match(stdout, /"msg":"stopped"\}\n$/)
      // Whoever closes a SQLite database in order leaves no log beside it.
      assert.deepEqual(readdirSync(folder.path), ['app.db'])
    })
  }

  test('a client and a mail server that hang at once are both given up in time', async () => {
    using folder = temporaryFolder()
    await using smtp = await startSmtpServer({ tls: 'none' })
    smtp.behave({ data: 'hang' })
    const file = join(folder.path, 'app.db')
    const env = {
      ...SETTINGS,
      DATABASE_URL: `sqlite:///${file}`,
      PORT: '0',
      MAIL_URL: smtp.url('?tls=off'),
      MAIL_FROM: 'shop@example.com',
    }
    await using program = startProgram({ env })
    const url = await program.url()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const hungUp = new Promise((resolve) => socket.once('error', () => {}).once('close', resolve))
    await new Promise((resolve) => socket.write('GET /health HTTP/1.1\r\nHos', resolve))
    const signedUp = await fetchPatiently(`${url}/auth/signup`, {
      method: 'POST',
      body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
      headers: { 'content-type': 'application/json' },
    })
    await smtp.got(1)

    program.child.kill('SIGTERM')
    const { exitCode, stdout, stderr } = await program.finished()
    await hungUp

    assert.equal(signedUp.status, 201)
    assert.equal(exitCode, 1, stderr)
    assert.match(stdout, /"msg":"stopped"\}\n$/)
    assert.deepEqual(readdirSync(folder.path), ['app.db'])
  })

  test('a worker, which nobody asks for readiness, does not wait for SHUTDOWN_DELAY_SECONDS', async () => {
    using folder = temporaryFolder()
    const DATABASE_URL = `sqlite:///${folder.path}/app.db`
    await using worker = await startWorkerProcess({ DATABASE_URL, SHUTDOWN_DELAY_SECONDS: '300' })

    assert.equal(await worker.end(), 0)

    assert.ok(worker.lines.some((line) => line.includes('"msg":"stopped"')))
    assert.ok(!worker.lines.some((line) => line.includes('stopping in')))
  })

  test('an error that nobody foresaw ends the delay, too: exit code 1', async () => {
    using folder = temporaryFolder()
    const DATABASE_URL = `sqlite:///${folder.path}/app.db`
    // A bug of ours, put in from outside: thrown where no request waits for it.
    const bug = `process.on('SIGUSR2',()=>setImmediate(()=>{throw new Error('a bug')}))`
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(bug)}`
    const settings = { DATABASE_URL, NODE_OPTIONS, SHUTDOWN_DELAY_SECONDS: '300' }
    await using server = await startServer(settings)
    const said = (text: string) => server.lines.some((line) => line.includes(text))
    server.signal('SIGTERM')
    await until('the delay', () => said('stopping in 300 s'))

    process.kill(server.pid, 'SIGUSR2')

    assert.equal(await server.ended, 1)
    assert.ok(said('unexpected error, stopping') && said('"msg":"stopped"'))
  })
})
