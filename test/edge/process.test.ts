import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { createTestDatabase, DATABASE } from '../support/database.ts'
import { type Program, runProgram, startProgram, temporaryFolder } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { until } from '../support/until.ts'

/** What a start compiles, at least: it also loads packages. */
const SERVER_FILES = 200
const JSON_BODY = JSON.stringify({ email: 'ann@example.com', password: PASSWORD })

/** The program on the database that this run is about. */
async function startOnDatabase(settings: Record<string, string> = {}) {
  const database = await createTestDatabase()
  const env = { ...SETTINGS, DATABASE_URL: database.url, PORT: '0', ...settings }
  const program = startProgram({ env })
  return {
    ...program,
    env,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]()
      await database.drop()
    },
  }
}

/** A login whose head the server has read, and whose body it waits for. */
async function beginRequest(url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
  const closed = new Promise<string>((resolve, reject) => {
    socket.once('close', () => resolve(answer))
    socket.once('error', reject)
  })
  socket.write(
    `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${JSON_BODY.length}\r\nExpect: 100-continue\r\n\r\n`,
  )
  while (!answer.includes('100 Continue')) await tick()
  return { send: (text: string) => socket.write(text), closed }
}

/** Asks it to stop and waits until it takes no more connections. */
async function askToStop(program: Program, url: string): Promise<void> {
  program.child.kill('SIGTERM')
  for (const startedAt = performance.now(); ; await tick()) {
    const refused = await fetch(`${url}/health`).then(
      () => false,
      () => true,
    )
    if (refused) return
    assert.ok(performance.now() - startedAt < 20_000, 'still takes connections')
  }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

async function post(url: string, body: unknown): Promise<{ status: number; body: any }> {
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return { status: answer.status, body: await answer.json() }
}

describe('the process', () => {
  test('finishes the request in hand on SIGTERM and exits 0', async () => {
    await using program = await startOnDatabase()
    const url = await program.url()
    const request = await beginRequest(url)

    await askToStop(program, url)
    request.send(JSON_BODY)

    assert.match(await request.closed, /HTTP\/1\.1 401 [\s\S]*"code":"invalid_credentials"/)
    const { exitCode, stdout, stderr } = await program.finished()
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /"status":401[^]*"msg":"stopped"\}\n$/)
    assert.equal(stderr, '')
  })

  test('says once where it listens', async () => {
    await using program = await startOnDatabase()
    await program.url()

    program.child.kill('SIGTERM')
    const { stdout } = await program.finished()

    assert.equal(stdout.match(/listen/gi)?.length, 1, stdout)
  })

  test('stops in order on SIGHUP, when its terminal is closed', async () => {
    await using program = await startOnDatabase()
    await program.url()

    program.child.kill('SIGHUP')
    const { exitCode, stdout } = await program.finished()

    assert.equal(exitCode, 0)
    assert.match(stdout, /"msg":"stopped"\}\n$/)
  })

  test('stops in order when the reader of its log has gone away', async () => {
    await using program = await startOnDatabase()
    const url = await program.url()

    program.child.stdout.destroy()
    await fetch(`${url}/api/v1/me`)
    program.child.kill('SIGTERM')
    const { exitCode } = await program.finished()

    assert.equal(exitCode, 0)
  })

  test('keeps what it compiled for the next start, also when it is killed', async () => {
    using folder = temporaryFolder()
    await using program = startProgram({
      env: { ...SETTINGS, PORT: '0', NODE_COMPILE_CACHE: folder.path },
    })
    const kept = () => readdirSync(folder.path, { recursive: true }).length
    await program.url()

    await until('the compiled files', () => kept() > SERVER_FILES)
    program.child.kill('SIGKILL')
    await program.finished()

    assert.ok(kept() > SERVER_FILES)
  })

  test('exits at once when it is asked to stop twice', async () => {
    await using program = await startOnDatabase()
    const url = await program.url()
    const request = await beginRequest(url)
    const broken = request.closed.catch(() => 'broken')

    await askToStop(program, url)
    program.child.kill('SIGINT')
    const { exitCode, stdout } = await program.finished()

    assert.equal(exitCode, 1)
    // Else the request in hand is waited for.
    assert.doesNotMatch(stdout, /"msg":"stopped"|took too long/)
    await broken
  })

  test('503 at /ready after SIGTERM, while it serves for SHUTDOWN_DELAY_SECONDS', async () => {
    await using program = await startOnDatabase({ SHUTDOWN_DELAY_SECONDS: '300' })
    const url = await program.url()
    const before = await fetch(`${url}/ready`)

    program.child.kill('SIGTERM')
    await program.printed(/"msg":"stopping in 300 s: /)
    const ready = await fetch(`${url}/ready`)
    const login = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      body: JSON_BODY,
      headers: { 'content-type': 'application/json' },
    })

    assert.deepEqual([before.status, before.headers.get('connection')], [200, 'keep-alive'])
    assert.equal(ready.status, 503)
    assert.equal(((await ready.json()) as any).checks.draining, true)
    assert.equal(login.status, 401)
    // So that the proxy's kept connections end with an answer, not while a request is on its way.
    assert.equal(login.headers.get('connection'), 'close')
  })

  test('ends the delay at a second signal, finishes the request in hand, and exits 0', async () => {
    await using program = await startOnDatabase({ SHUTDOWN_DELAY_SECONDS: '300' })
    const url = await program.url()
    program.child.kill('SIGINT')
    await program.printed(/"msg":"stopping in 300 s: /)
    const request = await beginRequest(url)

    await askToStop(program, url)
    request.send(JSON_BODY)

    assert.match(await request.closed, /HTTP\/1\.1 401 /)
    const { exitCode, stdout } = await program.finished()
    assert.equal(exitCode, 0)
    assert.match(stdout, /"msg":"stopped"\}\n$/)
  })

  test('exits 0 when the delay is over', async () => {
    await using program = await startOnDatabase({ SHUTDOWN_DELAY_SECONDS: '1' })
    await program.url()

    program.child.kill('SIGTERM')
    const { exitCode, stdout } = await program.finished()

    assert.equal(exitCode, 0)
    assert.match(stdout, /"msg":"stopping in 1 s: [^]*"msg":"stopped"\}\n$/)
  })

  test('says in one line which port is taken and exits 1', async () => {
    await using first = await startOnDatabase()
    const { port } = new URL(await first.url())

    await using second = startProgram({ env: { ...first.env, PORT: port } })
    const { exitCode, stderr } = await second.finished()

    assert.equal(exitCode, 1)
    assert.match(
      stderr,
      new RegExp(`^Cannot start:\\n  PORT ${port} is already in use on \\S+; .*\\n$`),
    )
  })
})

if (DATABASE === 'sqlite') {
  describe('a start without any setting', () => {
    test('makes its own key and database, and says where the documentation is', async () => {
      using folder = temporaryFolder()
      await using program = startProgram({ env: { PORT: '0' }, cwd: folder.path })
      const url = await program.url()

      const docs = await fetch(/documentation at (\S+?)"/.exec(program.stdout())?.[1] ?? '')

      assert.equal(docs.status, 200)
      assert.match(await docs.text(), /<title>Coffee Shop API<\/title>/)
      assert.equal((await fetch(`${url}/health`)).status, 200)
      assert.deepEqual(readdirSync(folder.path), ['data'])
      const files = readdirSync(`${folder.path}/data`).filter((name) => !/-(wal|shm)$/.test(name))
      assert.deepEqual(files.toSorted(), ['app.db', 'jwt-secret.key', 'secret.key'])
    })

    test('done by two processes at once on one file makes one service', async () => {
      using folder = temporaryFolder()
      const { SECRET_KEY: _, ...settings } = SETTINGS
      const options = {
        env: { ...settings, PORT: '0', PUBLIC_URL: 'http://shop' },
        cwd: folder.path,
      }
      await using first = startProgram(options)
      await using second = startProgram(options)
      const [one, two] = await Promise.all([first.url(), second.url()])
      const email = 'ann@example.com'
      const account = { email, password: PASSWORD }

      const signedUp = await post(`${one}/auth/signup`, account)
      // On a busy machine the second may be the first that finds the mail.
      const printed = /^🔑 Verification code for ann@example\.com: ([0-9]{6})$/m
      const code = await Promise.any([first.printed(printed), second.printed(printed)])
      const verified = await post(`${two}/auth/verify`, { email, code: code[1] })
      const loggedIn = await post(`${two}/auth/login`, account)
      const headers = { authorization: `Bearer ${loggedIn.body.access_token}` }
      const me = await fetch(`${one}/me`, { headers })

      assert.equal(signedUp.status, 201)
      assert.equal(signedUp.body.message.includes('Check console for verification code'), true)
      assert.equal(verified.status, 200)
      assert.equal(me.status, 200)
      assert.equal((first.stdout() + second.stdout()).match(/🔑/g)?.length, 1)
    })
  })
}

describe('a command loads neither Fastify nor the metrics and mail of a server', () => {
  // Writes each package once to standard error: a busy reader leaves the pipe little room.
  const listPackages = `
    import { writeSync } from 'node:fs'
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({
      load(url, context, next) {
        const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
        if (name && !seen.has(name)) writeSync(2, 'loads ' + name + '\\n')
        seen.add(name)
        return next(url, context)
      },
    })`
  const env = {
    ...SETTINGS,
    DATABASE_URL: 'sqlite:///:memory:',
    NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(listPackages)}"`,
  }
  const packagesOf = async (...args: string[]) => {
    const { exitCode, stderr } = await runProgram(args, { env })
    const packages = new Set([...stderr.matchAll(/^loads (.+)$/gm)].map(([, name]) => name))
    return { exitCode, packages, stderr: stderr.replaceAll(/^loads .+\n/gm, '') }
  }
  const SERVERS_ONLY = ['fastify', '@fastify/swagger', '@prometheus-io/client', 'nodemailer']

  for (const [exitCode, ...args] of [
    [0, 'cli', 'users', 'list'],
    [0, 'migrate'],
    [1, 'doctor'],
  ] as const) {
    test(args.join(' '), async () => {
      const loaded = await packagesOf(...args)

      assert.equal(loaded.exitCode, exitCode, loaded.stderr)
      assert.ok(loaded.packages.has('kysely'))
      assert.deepEqual(
        SERVERS_ONLY.filter((name) => loaded.packages.has(name)),
        [],
      )
    })
  }

  test('but openapi, which needs the endpoints', async () => {
    assert.ok((await packagesOf('openapi')).packages.has('fastify'))
  })
})
