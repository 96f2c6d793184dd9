import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { childrenOf, isAlive, listensOn } from '../support/children.ts'
import { createDatabase, dropDatabase, freePort } from '../support/cluster.ts'
import { TEMPLATE } from '../support/database.ts'
import { START, startProgram, temporaryFolder } from '../support/process.ts'
import { absent } from '../support/programs.ts'
import { times } from '../support/races.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { SETTINGS } from '../support/service.ts'
import { type Load, signUpCustomers, startLoad } from '../support/steady-load.ts'
import { fetchPatiently, until } from '../support/until.ts'

// PROCESSES: several processes on one port, with the program itself.

const PROCESSES = 3
const MANY = 100

describe('PROCESSES', () => {
  const cluster = process.env['TEST_POSTGRES_URL'] ?? ''
  const database = `processes_${process.pid}`
  let DATABASE_URL = ''
  before(async () => {
    DATABASE_URL = await createDatabase(cluster, database, TEMPLATE)
  })
  after(() => dropDatabase(cluster, database))

  async function start(settings: Record<string, string> = {}): Promise<ServerProcess> {
    const server = await startServer({ DATABASE_URL, PROCESSES: `${PROCESSES}`, ...settings })
    // All of them wait for connections.
    await until(
      () => server.lines.join('\n'),
      () => listenersOf(server).length === PROCESSES,
    )
    return server
  }
  let customers: Awaited<ReturnType<typeof signUpCustomers>> | undefined
  async function underLoad(
    server: ServerProcess,
    work: (load: Load) => Promise<void>,
  ): Promise<Load> {
    const codeOf = (email: string) =>
      new RegExp(`code for ${email}: (\\d{6})`).exec(server.lines.join('\n'))?.[1]
    customers ??= await signUpCustomers(server.url, codeOf)
    const load = startLoad(server.url, customers)
    try {
      await work(load)
    } finally {
      await load.stop()
    }
    return load
  }
  const says = (server: ServerProcess, text: string) =>
    server.lines.filter((line) => line.includes(text)).length

  test('0 failed requests while SIGHUP replaces one process after the other', async () => {
    await using server = await start({ RATE_LIMIT: 'off' })
    const before = childrenOf(server.pid)

    const load = await underLoad(server, async ({ answered }) => {
      await until('requests', () => answered() > MANY)
      process.kill(server.pid, 'SIGHUP')
      await until('the restart', () => says(server, '"restarted"') === 1)
      const restarted = answered()
      await until('more requests', () => answered() > restarted + MANY)
    })

    assert.deepEqual(load.failures, [])
    const now = childrenOf(server.pid)
    assert.equal(now.length, PROCESSES)
    assert.deepEqual(
      now.filter((pid) => before.includes(pid)),
      [],
    )
    assert.equal(await server.end(), 0)
  })

  test('a process that is killed is replaced; only requests that it was serving fail', async () => {
    await using server = await start({ RATE_LIMIT: 'off' })
    const [killed = 0, ...others] = childrenOf(server.pid)
    let underWay = 0

    const load = await underLoad(server, async ({ answered, asking }) => {
      await until('requests', () => answered() > MANY && asking() > 0)
      underWay = asking()
      process.kill(killed, 'SIGKILL')
      await until('another process', () => listenersOf(server).length === PROCESSES)
      const replaced = answered()
      await until('more requests', () => answered() > replaced + MANY)
    })

    assert.ok(load.failures.length <= underWay, JSON.stringify(load.failures))
    const now = childrenOf(server.pid)
    assert.equal(now.length, PROCESSES)
    assert.deepEqual(
      others.filter((pid) => !now.includes(pid)),
      [],
    )
    assert.ok(!now.includes(killed))
    assert.equal(says(server, `"pid":${killed}`), 1)
  })

  test('a process that ends at its start is replaced after pauses that grow', async () => {
    await using server = await start()
    const original = childrenOf(server.pid)
    const pauses = () =>
      server.lines.flatMap((line) =>
        line.includes('is replaced') ? [JSON.parse(line).pause_ms] : [],
      )

    process.kill(original[0] ?? 0, 'SIGKILL')
    await until('a longer pause', () => {
      for (const pid of childrenOf(server.pid))
        if (!original.includes(pid)) process.kill(pid, 'SIGKILL')
      return pauses().at(-1) >= 2000
    })

    assert.ok(pauses().length >= 3)
    assert.equal((await fetchPatiently(`${server.url}/health`)).status, 200)
    assert.equal(await server.end(), 0)
  })

  test('limits and metrics are those of one process', async () => {
    await using server = await start({ METRICS_PORT: '0' })
    const port = /metrics at http:\S+:(\d+)\/metrics/.exec(server.lines.join('\n'))?.[1]
    const operated = `http://127.0.0.1:${port}`
    const countOf = async (status: number) => {
      const text = await (await fetch(`${operated}/metrics`)).text()
      const samples = text.matchAll(/^coffee_shop_http_requests_total\{(.*)\} (\d+)$/gm)
      return [...samples]
        .filter(([, labels = '']) => labels.includes(`status="${status}"`))
        .reduce((sum, [, , count]) => sum + Number(count), 0)
    }
    const forget = async () => {
      const sent = { email: 'ann@example.com' }
      const headers = { 'content-type': 'application/json', connection: 'close' }
      const init = { method: 'POST', headers, body: JSON.stringify(sent) }
      return (await fetchPatiently(`${server.url}/auth/password/forgot`, init)).status
    }

    // On connections of their own, which any process may accept.
    const statuses: number[] = []
    for (const _ of times(40)) statuses.push(await forget())
    const [accepted, refused] = [await countOf(202), await countOf(429)]
    process.kill(server.pid, 'SIGHUP')
    await until('the restart', () => says(server, '"restarted"') === 1)

    assert.deepEqual(
      statuses,
      times(40).map((n) => (n < 10 ? 202 : 429)),
    )
    assert.deepEqual([accepted, refused], [10, 30])
    assert.deepEqual([await countOf(202), await countOf(429)], [10, 30], 'also after the restart')
    assert.equal(await forget(), 429, 'counted also after the restart')
    const text = await (await fetch(`${operated}/metrics`)).text()
    assert.match(text, /^coffee_shop_database_up 1$/m)
    assert.deepEqual(await (await fetch(`${operated}/health`)).json(), { status: 'healthy' })
  })

  test('a hung process makes /health of METRICS_PORT 503, and is killed when all are to stop', async () => {
    await using server = await start({ METRICS_PORT: '0' })
    const port = /metrics at http:\S+:(\d+)\/metrics/.exec(server.lines.join('\n'))?.[1]
    const [hung = 0] = childrenOf(server.pid)
    process.kill(hung, 'SIGSTOP')

    const health = await fetch(`http://127.0.0.1:${port}/health`)
    const served = await Promise.all(
      times(10).map(() => fetch(`${server.url}/health`, { headers: { connection: 'close' } })),
    )
    const exitCode = await server.end()

    assert.equal(health.status, 503)
    assert.deepEqual(
      served.map(({ status }) => status),
      times(10).map(() => 200),
    )
    assert.equal(exitCode, 1)
    assert.ok(!isAlive(hung))
  })

  test('SIGTERM announces the stop on all of them, then stops them: exit code 0', async () => {
    await using server = await start({ SHUTDOWN_DELAY_SECONDS: '5' })
    const children = childrenOf(server.pid)
    const ready = async () =>
      (await fetch(`${server.url}/ready`, { headers: { connection: 'close' } })).status

    server.signal('SIGTERM')
    await until('the announcement', () => says(server, 'stopping in 5 s') === 1)
    await until('the announcement on all', async () =>
      (await Promise.all(times(MANY).map(ready))).every((status) => status === 503),
    )

    assert.equal(await server.ended, 0)
    assert.deepEqual(children.filter(isAlive), [])
    assert.equal(says(server, '"stopped"'), 1)
  })

  test('a request that takes too long is cut off at the stop: exit code 1, as of one process', async () => {
    await using server = await start()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    const hungUp = new Promise((resolve) => socket.once('error', () => {}).once('close', resolve))
    await new Promise((resolve) => socket.write('GET /health HTTP/1.1\r\nHos', resolve))
    assert.equal((await fetchPatiently(`${server.url}/ready`)).status, 200)

    assert.equal(await server.end(), 1)
    await hungUp
    assert.equal(says(server, 'closing the remaining connections'), 1)
  })

  test('when the parent is killed, nobody listens and no process remains', async () => {
    await using server = await start()
    const children = childrenOf(server.pid)

    await server.kill()

    await until('their end', () => !children.some(isAlive))
    const { port } = new URL(server.url)
    const [error] = await once(connect(Number(port), '127.0.0.1'), 'error')
    assert.equal(error.code, 'ECONNREFUSED')
  })

  test('a start logs once what concerns all, and lines stay whole in a pipe', async () => {
    await using server = await start({ LOG_LEVEL: 'info' })

    await Promise.all(
      times(300).map(async (n) => {
        const url = `${server.url}/api/v1/users/${n}?${'x'.repeat(500)}`
        await (await fetch(url, { headers: { 'user-agent': 'y'.repeat(400) } })).text()
      }),
    )
    await server.end()

    const logged = server.lines.map((line) => JSON.parse(line))
    for (const text of ['starts', 'listens on', 'processes serve the port', 'stopped'])
      assert.equal(logged.filter(({ msg }) => msg?.includes(text)).length, 1, text)
    assert.equal(logged.filter(({ route }) => route === '/api/v1/users/:id').length, 300)
  })

  test('a start that cannot succeed says so once and exits with 1', async () => {
    const port = await freePort()
    await using server = await start({ PORT: `${port}` })
    const settings = { ...SETTINGS, DATABASE_URL, PROCESSES: '3', PORT: `${port}` }
    for (const [env, message] of [
      [settings, /^Cannot start:\n {2}PORT \d+ is already in use [^\n]+\n$/],
      [
        { ...settings, DATABASE_URL: DATABASE_URL.replace(/\w+$/, 'missing') },
        /^Cannot start:\n {2}[^\n]*missing[^\n]*\n$/,
      ],
      [{ ...settings, LOG_LEVEL: 'loud' }, /^Cannot start:\n {2}LOG_LEVEL [^\n]+\n$/],
      [
        { ...settings, DATABASE_URL: 'sqlite:///:memory:' },
        /^Cannot start:\n {2}PROCESSES must be 1 or auto with SQLite[^\n]+\n$/,
      ],
    ] as const) {
      await using program = startProgram({ env })
      const { exitCode, stderr } = await program.finished()
      assert.match(stderr, message)
      assert.equal(exitCode, 1)
    }
    assert.equal(await server.end(), 0)
  })

  test('SIGHUP reads .env anew; with settings that are refused, the processes serve on', async () => {
    using folder = temporaryFolder()
    const env = { ...SETTINGS, DATABASE_URL, PROCESSES: '2', PORT: '0', LOG_FORMAT: 'json' }
    const write = (line: string) => writeFileSync(join(folder.path, '.env'), `${line}\n`)
    write('DOCS=on')
    await using program = startProgram({ env, cwd: folder.path })
    const url = await program.url()
    await program.printed(/processes serve the port/)
    const documented = async () => (await fetchPatiently(`${url}/openapi.json`)).status

    const before = await documented()
    write('DOCS=off')
    program.child.kill('SIGHUP')
    await program.printed(/"restarted"/)
    const restarted = await documented()
    write('MAIL_MAX_PER_HOUR=none')
    program.child.kill('SIGHUP')
    await program.printed(/does not start: those that run serve on/)
    const kept = await documented()
    program.child.kill('SIGTERM')

    assert.deepEqual([before, restarted, kept], [200, 404, 404])
    const { exitCode, stderr } = await program.finished()
    assert.match(stderr, /^Cannot start:\n {2}MAIL_MAX_PER_HOUR must be [^\n]+\n$/)
    assert.equal(exitCode, 0)
  })

  test('SIGHUP of a terminal that is closed stops all', { skip: absent('python3') }, async () => {
    const env = { ...SETTINGS, PATH: process.env['PATH'], DATABASE_URL, PROCESSES: '2', PORT: '0' }
    const python = spawn('python3', ['-c', IN_TERMINAL, process.execPath, ...START], { env })
    const output = createInterface({ input: python.stdout })
    const [pid] = await once(output, 'line')
    const children = childrenOf(Number(pid))

    python.stdin.end()

    const [exitCode] = await once(output, 'line')
    assert.equal(exitCode, '0')
    assert.equal(children.length, 2)
    assert.deepEqual(children.filter(isAlive), [])
  })
})

/** Runs a program in a terminal, which is closed at the end of the input. Prints its pid, then its exit code. */
const IN_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b''
while b'processes serve' not in said:
    said += os.read(terminal, 1024)
print(pid, flush=True)
sys.stdin.read()
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
`

/** The processes of a server that have opened its port. */
function listenersOf(server: ServerProcess): number[] {
  const { port } = new URL(server.url)
  return childrenOf(server.pid).filter((pid) => listensOn(pid, Number(port)))
}
