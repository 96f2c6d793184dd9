import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, createReadStream, openSync, read, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { AppError } from '../../server/errors.ts'
import { createLogger, type Logger, openOutput } from '../../server/lib/log.ts'
import { createConsoleMailer } from '../../server/outbox/transports/mailer.ts'
import { temporaryFolder } from '../support/process.ts'

const readSome = promisify(read)

/** What one call writes, as JSON logging has it. */
async function logged(write: (log: Logger) => void): Promise<{ text: string; line: any }> {
  const lines: string[] = []
  const output = { write: (text: string) => void lines.push(text) }
  write(await createLogger({ level: 'info', format: 'json' }, output))
  assert.equal(lines.length, 1)
  const text = lines[0] ?? ''
  return { text, line: JSON.parse(text) }
}

function makePipe(folder: string): string {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

describe('secrets in the log', () => {
  for (const key of [
    'password',
    'current_password',
    'new_password',
    'password_hash',
    'code',
    'token',
    'access_token',
    'refresh_token',
    'authorization',
    'cookie',
    'set-cookie',
    'secretKey',
    'databaseUrl',
    'mailUrl',
    'smsUrl',
    'redisUrl',
  ]) {
    test(`${key} is redacted up to three levels deep`, async () => {
      const secret = { [key]: 'canary' }

      const { text, line } = await logged((log) =>
        log.info({ ...secret, body: secret, deep: { body: secret } }, 'request'),
      )

      assert.doesNotMatch(text, /canary/)
      assert.deepEqual(
        [line[key], line.body[key], line.deep.body[key]],
        Array(3).fill('[redacted]'),
      )
    })
  }

  test('secrets are redacted in lists and in what a child logger adds to each line', async () => {
    const secret = { password: 'canary' }

    const { text, line } = await logged((log) =>
      log
        .child({ token: 'canary', request: { headers: { cookie: 'canary' } } })
        .child({ code: 'canary' })
        .info({ tried: [secret], error: Object.assign(new Error('x'), secret), at: new Date(0) }),
    )

    assert.doesNotMatch(text, /canary/)
    assert.deepEqual(
      [line.token, line.code, line.request.headers.cookie],
      Array(3).fill('[redacted]'),
    )
    assert.deepEqual(line.tried, [{ password: '[redacted]' }])
    assert.equal(line.at, '1970-01-01T00:00:00.000Z')
    assert.deepEqual(secret, { password: 'canary' })
  })

  test('an error is told by type, code, message, stack and causes, without what a driver adds', async () => {
    const refused = Object.assign(new Error('duplicate key value'), {
      code: '23505',
      detail: 'Key (email_canonical)=(canary@example.com) already exists.',
      where: 'canary',
    })
    const error = new TypeError('sign-up failed', { cause: refused })

    const { text, line } = await logged((log) => log.error({ err: error }, 'unexpected error'))

    assert.doesNotMatch(text, /canary/)
    assert.equal(line.err.type, 'TypeError')
    assert.equal(line.err.message, 'sign-up failed')
    assert.match(line.err.stack, /log\.test\.ts/)
    assert.equal(line.err.cause.error_code, '23505')
    assert.equal(line.err.cause.message, 'duplicate key value')
    assert.deepEqual(Object.keys(line.err.cause).toSorted(), [
      'error_code',
      'message',
      'stack',
      'type',
    ])
  })

  test('an outage is told once a second, without a stack, and each time where it says what it cost', async () => {
    const lines: any[] = []
    const output = { write: (text: string) => void lines.push(JSON.parse(text)) }
    const log = await createLogger({ level: 'info', format: 'json' }, output)
    const cause = Object.assign(new Error('terminating connection'), { code: '57P01' })
    const err = new AppError('database_unavailable', { cause })

    for (let count = 0; count < 5; count++) {
      log.warn({ err }, 'database unavailable')
      log.error({ err, job: 'purge' }, 'recurring job failed')
      log.warn({ err, actor_id: count }, 'read not recorded')
    }
    log.fatal({ err }, 'stopping')
    log.error({ err: cause }, 'unexpected error')

    const count = (message: string) => lines.filter(({ msg }) => msg === message).length
    assert.deepEqual(
      [
        'database unavailable',
        'recurring job failed',
        'read not recorded',
        'stopping',
        'unexpected error',
      ].map(count),
      [1, 0, 5, 1, 1],
    )
    const { type, message, error_code } = lines[0].err.cause
    assert.deepEqual([type, message, error_code], ['Error', 'terminating connection', '57P01'])
    for (const { err: told } of lines.slice(0, -1))
      assert.deepEqual([told.stack, told.cause.stack], [undefined, undefined])
    assert.equal(typeof lines.at(-1).err.stack, 'string')
  })

  test('an outage is one line for people, too, and only a stack is several', async () => {
    const lines: string[] = []
    const output = { write: (text: string) => void lines.push(text) }
    const log = await createLogger({ level: 'info', format: 'pretty' }, output)
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:5432')

    log.warn({ err: new AppError('database_unavailable', { cause }) }, 'database unavailable')
    log.error({ err: cause }, 'unexpected error')

    assert.match(lines[0] ?? '', /^[^\n]+database unavailable[^\n]+ECONNREFUSED[^\n]+\n$/)
    assert.match(lines[1] ?? '', /unexpected error[^]+\n +at [^]+log\.test\.ts/)
  })

  test('a thrown value that is no error is not told', async () => {
    const { text, line } = await logged((log) => log.error({ err: 'canary' }, 'unexpected error'))

    assert.doesNotMatch(text, /canary/)
    assert.equal(line.err.message, 'a value that is not an Error was thrown')
  })

  test('control characters in a value stay inside their one line', async () => {
    const hostile = 'x\n{"level":60}\r\n\u001b[2J'

    const { text, line } = await logged((log) => log.info({ agent: hostile }, 'request'))

    assert.equal(text.indexOf('\n'), text.length - 1)
    assert.ok(!text.includes('\u001b'))
    assert.equal(line.agent, hostile)
  })
})

describe('the output', () => {
  test('a line is out once flush resolves', async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'log')
    const output = openOutput(openSync(file, 'w'))

    output.write('first\n')
    output.write('second\n')
    await output.flush()

    assert.equal(readFileSync(file, 'utf8'), 'first\nsecond\n')
    assert.equal(output.droppedLines(), 0)
  })

  test('a reader that stops blocks nobody, and lines over one MiB are dropped and counted', async () => {
    using folder = temporaryFolder()
    // Opened for both, so that the pipe has a reader, which reads nothing.
    const pipe = openSync(makePipe(folder.path), 'r+')
    const output = openOutput(pipe)
    const line = `${'x'.repeat(1023)}\n`

    for (let count = 0; count < 3000; count++) output.write(line)
    const flushed = await output.flush().then(
      () => 'flushed',
      () => 'rejected',
    )

    assert.equal(flushed, 'rejected')
    assert.equal(output.droppedLines(), 3000 - 1024)
    await assert.rejects(
      createConsoleMailer(output).send({ to: 'a', subject: 'b', text: 'c', html: 'd' }, '1'),
    )

    const reader = createReadStream('', { fd: pipe, autoClose: false, end: 1024 * 1024 - 1 })
    let bytes = 0
    for await (const chunk of reader) bytes += chunk.length
    assert.equal(bytes, 1024 * 1024)
    output.write('back\n')
    await output.flush()
    closeSync(pipe)
  })

  test('a mail whose line was dropped counts as not sent though the reader comes back', async () => {
    using folder = temporaryFolder()
    const pipe = openSync(makePipe(folder.path), 'r+')
    const output = openOutput(pipe)
    const line = `${'x'.repeat(1023)}\n`
    for (let count = 0; count < 1024; count++) output.write(line)

    const sent = createConsoleMailer(output).send(
      { to: 'a', subject: 'b', text: 'c', html: 'd' },
      '1',
    )
    const reader = createReadStream('', { fd: pipe, autoClose: false, end: 1024 * 1024 - 1 })
    const ended = once(reader, 'end')
    reader.resume()

    await assert.rejects(sent, /lost/)
    // A read in flight would find its descriptor closed.
    await ended
    closeSync(pipe)
  })

  test('a line dropped while a batch is written is told to its own flush, not to that of the batch', async () => {
    using folder = temporaryFolder()
    const pipe = openSync(makePipe(folder.path), 'r+')
    const output = openOutput(pipe)
    const rest = 512 * 1024
    output.write('x')
    // More than a pipe holds: this batch is being written until somebody reads.
    output.write('y'.repeat(rest + 1))
    const first = output.flush()
    for (let n = 0; n < 2; n++) await readSome(pipe, Buffer.alloc(1), 0, 1, null)

    output.write('z'.repeat(1024 * 1024))
    const second = output.flush()
    const reader = createReadStream('', { fd: pipe, autoClose: false, end: rest - 1 })
    const ended = once(reader, 'end')
    reader.resume()

    const [batch, dropped] = await Promise.allSettled([first, second])
    assert.deepEqual([batch.status, dropped.status], ['fulfilled', 'rejected'])
    await ended
    closeSync(pipe)
  })

  test('a reader that went away is counted and throws nothing', async () => {
    using folder = temporaryFolder()
    const path = makePipe(folder.path)
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const output = openOutput(openSync(path, 'w'))
    closeSync(reader)

    output.write('nobody reads this\n')

    await assert.rejects(output.flush(), /lost/)
    assert.equal(output.droppedLines(), 1)
  })
})
