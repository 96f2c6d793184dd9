import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runInHost } from '../support/commands.ts'
import { runProgram, startProgram, temporaryFolder } from '../support/process.ts'
import { missing, startRedis } from '../support/redis-server.ts'
import { SETTINGS, startService } from '../support/service.ts'

// What the command line does without a database of its own; the rest is in test/cli.test.ts.

const CANARY = 'canary-2b7f'
const ID = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'

describe('misuse', () => {
  for (const args of [
    ['users', 'create'],
    ['users', 'create', 'a@example.com', CANARY],
    ['users', 'create', 'a@example.com', '--password', CANARY],
    ['users', 'create', 'a@example.com', `--password=${CANARY}`],
    ['users', 'create', 'a@example.com', '--role', 'root'],
    ['users', 'set-role', 'a@example.com', 'root'],
    ['users', 'list', '--sort', 'id'],
    ['users', 'list', 'ann'],
    ['doctor', 'now'],
    ['migrate', 'now'],
    ['openapi', '--json'],
    ['keys', 'rotate', 'now'],
    ['sessions', 'end'],
    ['sessions', 'end', '--all', 'now'],
    ['sessions', 'end', '--all', '--user', '1'],
    ['cleanup', '--all'],
    ['cleanup', 'now'],
    ['mail', 'list', '--state', 'lost'],
    ['mail', 'list', '--kind', 'foo'],
    ['mail', 'list', 'dead'],
    ['mail', 'resend', '--state', 'dead', '--kind', 'foo'],
    ['mail', 'show'],
    ['mail', 'show', '7'],
    ['mail', 'resend', ID, ID],
    ['mail', 'resend', '--state', 'sent', '--yes'],
    ['mail', 'resend', ID, '--state', 'dead'],
  ]) {
    test(`2 and the usage for: ${args.join(' ')}`, async () => {
      const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:' }

      const { exitCode, stdout, stderr } = await runInHost(args, env)

      assert.equal(exitCode, 2, stderr)
      assert.ok(stderr.includes(`usage: npm run cli -- ${args[0]} `), stderr)
      assert.doesNotMatch(stderr, new RegExp(CANARY), 'a password typed by mistake is not repeated')
      assert.equal(stdout, '')
    })
  }

  for (const args of [
    ['users', 'create', '--help'],
    ['users', 'create', 'a@example.com', '-h'],
    ['help', 'users', 'create'],
  ]) {
    test(`0 and what it takes, though nothing is set, for: ${args.join(' ')}`, async () => {
      const { exitCode, stdout, stderr } = await runProgram(args, { env: { PORT: 'x' } })

      assert.deepEqual([exitCode, stderr], [0, ''])
      assert.match(
        stdout,
        /^usage: npm run cli -- users create <email> .*\n\ncreate a verified user/,
      )
    })
  }

  test('0 and a group’s commands for users --help', async () => {
    const { exitCode, stdout } = await runProgram(['users', '--help'])

    assert.equal(exitCode, 0)
    assert.match(stdout, /^ {2}users list /m)
    assert.doesNotMatch(stdout, /doctor/)
  })

  test('2 and the unknown command, without what else was typed', async () => {
    const { exitCode, stdout, stderr } = await runProgram(['users', 'lost', CANARY])

    assert.deepEqual([exitCode, stdout], [2, ''])
    assert.match(stderr, /^Unknown command: users lost\nusage: [^]* {2}users list /)
    assert.doesNotMatch(stderr, new RegExp(CANARY))
  })

  test('2 and every command for the script without one: nothing is served', async () => {
    const { exitCode, stdout, stderr } = await runProgram(['cli'], { env: { PORT: 'x' } })

    assert.deepEqual([exitCode, stdout], [2, ''])
    assert.match(stderr, /^usage: npm run cli -- <command>\n[^]* {2}users list /)
  })

  test('the script passes a command on', async () => {
    const { exitCode, stdout } = await runProgram(['cli', 'users', 'show', '--help'])

    assert.equal(exitCode, 0)
    assert.match(stdout, /^usage: npm run cli -- users show /)
    assert.match(readFileSync('package.json', 'utf8'), /"cli": ".* server\/main\.ts cli",/)
  })

  test('0 and every command for help, each row in its columns', async () => {
    const { exitCode, stdout } = await runProgram(['--help'])

    assert.equal(exitCode, 0)
    for (const name of ['users create <email>', 'users delete', 'migrate', 'doctor', 'openapi'])
      assert.ok(stdout.includes(`  ${name}`), name)
    const rows = stdout.split('\n').filter((line) => line.startsWith('  '))
    assert.ok(rows.length > 10)
    for (const row of rows) assert.match(row, /^ {2}[a-z].{65}\S? {1,}\S/)
  })
})

describe('the version', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const program = `Coffee Shop API ${version}`

  for (const args of [['--version'], ['-v'], ['cli', '--version']]) {
    test(`0 and one line, though nothing is set, for: ${args.join(' ')}`, async () => {
      const { exitCode, stdout, stderr } = await runProgram(args, { env: { PORT: 'x' } })

      assert.deepEqual([exitCode, stderr], [0, ''])
      assert.match(stdout, /^[^\n]+\n$/)
      assert.ok(stdout.startsWith(program), stdout)
    })
  }

  for (const argument of ['--version', '--help']) {
    test(`0 also where .env is broken, for: ${argument}`, async () => {
      using folder = temporaryFolder()
      mkdirSync(join(folder.path, '.env'))

      const { exitCode, stderr } = await runProgram([argument], { env: {}, cwd: folder.path })

      assert.deepEqual([exitCode, stderr], [0, ''])
    })
  }

  test('is in the first line of the log and of doctor, and in no answer', async () => {
    const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', PORT: '0' }
    await using server = startProgram({ env })
    const url = await server.url()
    const answers: string[] = []
    for (const path of ['/', '/health', '/ready', '/nowhere']) {
      const answer = await fetch(url + path)
      answers.push(JSON.stringify([...answer.headers]) + (await answer.text()))
    }
    const doctor = await runProgram(['doctor'], { env })

    const first = JSON.parse(server.stdout().split('\n', 1)[0] ?? '')
    assert.deepEqual([first.version, first.msg.startsWith(program)], [version, true])
    assert.ok(doctor.stdout.startsWith(`ok   ${program}`), doctor.stdout)
    assert.ok(answers.every((answer) => !answer.includes(version)))
  })
})

describe('doctor', () => {
  test('1 and names only for bad settings', async () => {
    const env = { DATABASE_URL: `mysql://u:${CANARY}@db/shop`, SECRET_KEY: CANARY, PORT: 'x' }

    const { exitCode, stdout } = await runProgram(['doctor'], { env })

    assert.equal(exitCode, 1)
    for (const name of ['DATABASE_URL', 'SECRET_KEY', 'PORT'])
      assert.match(stdout, new RegExp(`^FAIL ${name} `, 'm'))
    assert.doesNotMatch(stdout, new RegExp(CANARY))
  })
})

describe('doctor', () => {
  test('1 and REDIS_URL for a Redis that cannot be used, without its URL', async () => {
    const REDIS_URL = `redis://ann:${CANARY}@127.0.0.1:1`

    const { exitCode, stdout, stderr } = await runProgram(['doctor'], {
      env: { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', REDIS_URL },
    })

    assert.equal(exitCode, 1)
    assert.match(stdout, /^FAIL REDIS_URL names a server that cannot be used \(ECONNREFUSED\)/m)
    assert.doesNotMatch(stdout + stderr, new RegExp(CANARY))
  })

  test('ok for a Redis that takes writes', { skip: missing }, async () => {
    await using redis = await startRedis()

    const { stdout } = await runProgram(['doctor'], {
      env: { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', REDIS_URL: redis.url },
    })

    assert.match(stdout, /^ok {3}Redis$/m)
  })
})

describe('openapi', () => {
  test('0 prints the document that is served, whatever the settings', async () => {
    await using service = await startService()

    const { exitCode, stdout } = await runProgram(['openapi'], { env: { PORT: 'x' } })

    assert.equal(exitCode, 0)
    const served = await service.get('/openapi.json')
    assert.equal(served.status, 200)
    assert.deepEqual(JSON.parse(stdout), served.body)
  })

  test('0 and no stack when its reader has seen enough', async () => {
    await using program = startProgram({ args: ['openapi'], input: '' })

    program.child.stdout.destroy()

    const { exitCode, stderr } = await program.finished()
    assert.deepEqual([exitCode, stderr], [0, ''])
  })
})
