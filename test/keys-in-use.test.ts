import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../server/lib/units.ts'
import { checkKeys } from '../server/open.ts'
import { runInHost } from './support/commands.ts'
import { startProgram } from './support/process.ts'
import { type Service, SETTINGS, startService } from './support/service.ts'
import { createKeyFile } from './support/signing-keys.ts'
import { fetchPatiently } from './support/until.ts'

const OLD = SETTINGS.SECRET_KEY
const NEW = 'next-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'
const BEFORE = { SECRET_KEY: OLD }
const ANNOUNCED = { SECRET_KEY: OLD, SECRET_KEY_PREVIOUS: NEW }
const SWAPPED = { SECRET_KEY: NEW, SECRET_KEY_PREVIOUS: OLD }
const DONE = { SECRET_KEY: NEW }
const JWT = { JWT_SECRET_KEY: 'token-0nly-Wd8rTn3KxV6hPz1QmYb9LcGs5jFa' }

const start = (settings = {}) => startService(settings, { nowMs: Date.now() })

/** Processes on one database, which compare their keys as they start and then every minute. */
async function startProcesses(...settings: Record<string, string>[]) {
  const [first, ...others] = settings
  const processes = [await start(first)]
  for (const each of others) {
    const [service] = processes
    assert.ok(service)
    processes.push(await startService(each, { replicaOf: service }))
  }
  return {
    processes,
    async [Symbol.asyncDispose]() {
      for (const service of processes.toReversed()) await service[Symbol.asyncDispose]()
    },
  }
}

const compare = ({ ctx }: Service, serves = true) => checkKeys(ctx, serves)
const keysOf = async (service: Service): Promise<string> =>
  (await service.get('/ready')).body.checks.keys
const linesOf = ({ logged }: Service) =>
  logged.filter((line) => line.includes('differs from the key that was last in use'))

describe('the keys in use', () => {
  test('are no concern of steps of a rotation that meet, restarted one by one in any order', async () => {
    const restarts = [BEFORE, BEFORE, ANNOUNCED, BEFORE, ANNOUNCED, ANNOUNCED, SWAPPED, ANNOUNCED]
    const steps = [...restarts, SWAPPED, SWAPPED, DONE, SWAPPED, DONE]
    await using all = await startProcesses(...steps)

    for (const [index, service] of all.processes.entries()) {
      await compare(service)
      const before = all.processes[index - 1]
      if (before !== undefined) await compare(before)

      assert.equal(await keysOf(service), 'ok', `start ${index}`)
      assert.deepEqual(linesOf(service), [], `start ${index}`)
    }
  })

  for (const [why, others, wrong, setting] of [
    ['was not restarted in step 1', [ANNOUNCED, SWAPPED], BEFORE, 'SECRET_KEY'],
    ['was forgotten until after step 3', [ANNOUNCED, SWAPPED, DONE], BEFORE, 'SECRET_KEY'],
    ['has another secret key', [BEFORE, BEFORE], DONE, 'SECRET_KEY'],
    ['has another key of access tokens', [BEFORE], { ...BEFORE, ...JWT }, 'JWT_SECRET_KEY'],
    [
      'lacks the key of access tokens',
      [{ ...BEFORE, ...JWT }],
      BEFORE,
      'JWT_SECRET_KEY, or without it SECRET_KEY,',
    ],
  ] as const) {
    test(`name the process that ${why}, in its log and its /ready, and no other`, async () => {
      await using all = await startProcesses(...others, wrong)
      const [odd, ...right] = all.processes.toReversed()
      assert.ok(odd)
      for (const service of right.toReversed()) await compare(service)

      await compare(odd)
      for (const service of right) await compare(service)

      assert.equal(await keysOf(odd), 'differ')
      assert.equal((await odd.get('/ready')).status, 200)
      assert.match(linesOf(odd)[0] ?? '', new RegExp(`"level":"?error.*"msg":"${setting} differs`))
      const last = right[0]
      assert.ok(last)
      assert.equal(await keysOf(last), 'ok')
      assert.deepEqual(linesOf(last), [])
    })
  }

  test('may differ with ALGORITHM between a server and a worker, which uses no access tokens', async () => {
    using file = createKeyFile('EdDSA')
    await using all = await startProcesses(file.settings, BEFORE)
    const [server, worker] = all.processes
    assert.ok(server && worker)

    await compare(server)
    await compare(worker, false)

    assert.deepEqual(linesOf(worker), [])
  })

  test('are those of whoever is left, five minutes after the last process with other ones', async () => {
    await using all = await startProcesses(BEFORE, DONE)
    const [gone, left] = all.processes
    assert.ok(gone && left)
    await compare(gone)
    await compare(left)
    const atOnce = await keysOf(left)
    left.advance(5 * MINUTE_MS)

    await compare(left)
    await compare(left)

    assert.deepEqual([atOnce, await keysOf(left)], ['differ', 'ok'])
    assert.equal(linesOf(left).length, 4, 'the change itself is logged, twice: codes and tokens')
    await compare(gone)
    assert.equal(await keysOf(gone), 'differ')
  })

  test('reveal no key', async () => {
    await using service = await start(JWT)
    await compare(service)

    const rows = JSON.stringify(
      await service.ctx.db.selectFrom('keys_in_use').selectAll().execute(),
    )

    for (const secret of [OLD, JWT.JWT_SECRET_KEY]) assert.ok(!rows.includes(secret.slice(0, 8)))
    assert.match(rows, new RegExp(service.ctx.keys.current.id))
  })

  test('are compared by doctor: 1 for the wrong secret key, 0 and a warning for that of tokens', async () => {
    await using service = await start()
    await compare(service)
    const run = (settings: Record<string, string>) =>
      runInHost(['doctor'], { ...SETTINGS, DATABASE_URL: service.databaseUrl, ...settings })

    const [right, wrong, tokens] = [await run({}), await run(DONE), await run(JWT)]

    assert.match(right.stdout, /^ok {3}keys$/m)
    assert.equal(wrong.exitCode, 1)
    assert.match(wrong.stdout, /^FAIL SECRET_KEY differs from the key that was last in use/m)
    assert.equal(tokens.exitCode, 0)
    assert.match(tokens.stdout, /^warn access tokens: JWT_SECRET_KEY differs/m)
  })

  test('are compared as a process starts, by servers and workers', async () => {
    await using service = await start()
    await compare(service)
    const env = { ...SETTINGS, ...DONE, DATABASE_URL: service.databaseUrl, PORT: '0' }
    await using server = startProgram({ env })
    await using worker = startProgram({ args: ['work'], env })

    const ready = await fetchPatiently(`${await server.url()}/ready`)
    const checks = ((await ready.json()) as { checks: Record<string, unknown> }).checks

    assert.equal(checks['keys'], 'differ')
    for (const program of [server, worker]) {
      await program.printed(/SECRET_KEY differs from the key that was last in use/)
      program.child.kill('SIGTERM')
      assert.equal((await program.finished()).exitCode, 0)
    }
  })
})
