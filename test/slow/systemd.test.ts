import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { askPatiently } from '../support/ask.ts'
import { createDatabase } from '../support/cluster.ts'
import { runProgram, temporaryFolder } from '../support/process.ts'
import { absent } from '../support/programs.ts'
import { PASSWORD } from '../support/service.ts'
import { KEY } from '../support/settings.ts'
import { makeMachine, startUnit } from '../support/systemd-units.ts'
import { until } from '../support/until.ts'

// The samples of deploy/systemd. Without a running systemd, its own checks read them, and the service runs
// with the restrictions that the kernel and util-linux offer.

const SERVER = 'coffee-shop-api.service'
const WORKER = 'coffee-shop-api-worker.service'
/** 0 is a service without any rights, 10 one without any restriction; ours have 1.5. */
const EXPOSURE_MAX_TENTHS = 20

const settings = readFileSync('deploy/systemd/settings.env', 'utf8')
const needsRoot = process.getuid?.() !== 0 && 'only root can start a process as another user'

describe('deploy/systemd', { skip: absent('systemd-analyze') }, () => {
  for (const unit of [SERVER, WORKER]) {
    test(`${unit} is accepted by systemd, with and without secrets.conf, and hardened`, () => {
      using folder = temporaryFolder()
      for (const file of globSync('deploy/systemd/*.service')) {
        // verify looks for the program, too.
        const text = readFileSync(file, 'utf8').replaceAll('/opt/coffee-shop-api', resolve('.'))
        writeFileSync(join(folder.path, basename(file)), text)
      }
      const path = join(folder.path, unit)
      const analyze = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, path], {
          env: { PATH: process.env['PATH'], SYSTEMD_UNIT_PATH: `${folder.path}:` },
          encoding: 'utf8',
        })
        return { status, said: stdout + stderr }
      }

      const verified = analyze('verify', '--man=no')
      mkdirSync(`${path}.d`)
      cpSync('deploy/systemd/secrets.conf', `${path}.d/secrets.conf`)
      const withSecrets = analyze('verify', '--man=no')
      const security = analyze('security', '--offline=yes', `--threshold=${EXPOSURE_MAX_TENTHS}`)

      assert.deepEqual(verified, { status: 0, said: '' })
      assert.deepEqual(withSecrets, { status: 0, said: '' })
      assert.equal(security.status, 0, security.said)
    })
  }
})

test('the units leave time for the delay that docs/operations.md sets, and for the stop', () => {
  const timeoutOf = (unit: string) =>
    Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(`deploy/systemd/${unit}`, 'utf8'))?.[1])
  const main = readFileSync('server/main.ts', 'utf8')
  const seconds = (name: string) =>
    Number(new RegExp(`const ${name} = (\\d+) \\* SECOND_MS`).exec(main)?.[1])
  const guide = readFileSync('docs/operations.md', 'utf8')
  const delay = Number(/SHUTDOWN_DELAY_SECONDS=(\d+)/.exec(guide)?.[1])

  assert.ok(timeoutOf(SERVER) > delay + seconds('SHUTDOWN_MS'))
  assert.ok(timeoutOf(WORKER) > seconds('WORK_SHUTDOWN_MS'))
})

describe('a hardened unit', { skip: needsRoot || absent('python3', 'setpriv', 'unshare') }, () => {
  test('serves on every address and stops, with SQLite and keys in its only folder', async () => {
    using folder = temporaryFolder()
    const machine = makeMachine(folder.path, `${settings}\nHOST=0.0.0.0\nPORT=0\n`)

    await using server = await startUnit(SERVER, machine)
    const url = await listeningUrl(server)
    const signedUp = await askPatiently(url, '/auth/signup', signUp('ann@example.com'))
    await server.stop('SIGTERM')
    // As root, where the settings are.
    const doctor = await runProgram(['cli', 'doctor'], { cwd: machine.etc, env: {} })

    assert.equal(signedUp.status, 201)
    assert.match(server.said(), /Verification code for ann@example\.com/)
    assert.match(server.said(), /"msg":"stopped"/)
    assert.equal(doctor.exitCode, 0, doctor.stdout)
    const state = join(machine.state, 'coffee-shop-api')
    const files = readdirSync(state)
    assert.deepEqual(files.toSorted(), ['app.db', 'jwt-secret.key', 'secret.key'])
    for (const { mode, uid } of files.map((file) => statSync(join(state, file)))) {
      assert.deepEqual([mode & 0o777, uid], [0o600, statSync(state).uid])
    }
  })

  test('and its worker share PostgreSQL, with secrets that only root can read', async () => {
    using folder = temporaryFolder()
    // The line that the sample tells to replace.
    const shared = settings.replace(/^DATABASE_URL=.*$/m, '')
    const machine = makeMachine(folder.path, `${shared}\nWORKER=separate\nPORT=0\n`)
    const url = await createDatabase(process.env['TEST_POSTGRES_URL'] ?? '', `units_${process.pid}`)
    for (const [name, secret] of [
      ['database_url', url],
      ['secret_key', KEY],
      ['jwt_secret_key', `${KEY}-jwt`],
    ] as const) {
      writeFileSync(join(machine.etc, name), `${secret}\n`, { mode: 0o600 })
    }

    await using server = await startUnit(SERVER, machine, ['secrets.conf'])
    const base = await listeningUrl(server)
    await using worker = await startUnit(WORKER, machine, ['secrets.conf'])
    const signedUp = await askPatiently(base, '/auth/signup', signUp('bob@example.com'))
    await until(worker.said, () => /Verification code for bob@example\.com/.test(worker.said()))
    await worker.stop('SIGTERM')

    assert.equal(signedUp.status, 201)
    assert.match(worker.said(), /"msg":"stopped"/)
    assert.doesNotMatch(server.said() + worker.said(), /"level":"(?:warn|error|fatal)"/)
  })
})

const signUp = (email: string) => ({ email, password: PASSWORD, full_name: 'Ann Lee' })

async function listeningUrl(server: Awaited<ReturnType<typeof startUnit>>): Promise<string> {
  const listens = /"url":"http:\/\/[^:"]+:(\d+)"/
  await until(server.said, () => {
    assert.ok(!server.hasEnded(), server.said())
    return listens.test(server.said())
  })
  return `http://127.0.0.1:${listens.exec(server.said())?.[1]}`
}
