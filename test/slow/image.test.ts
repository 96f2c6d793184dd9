import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { createDatabase, dropDatabase, freePort, startCluster } from '../support/cluster.ts'
import { buildImage, noImage } from '../support/image.ts'
import { absent, startDebianProgram } from '../support/programs.ts'
import { type Environment, temporaryFolder } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { fetchPatiently, until } from '../support/until.ts'

// What the Dockerfile makes, built as written and run as a container runs it: in a root of its own
// that nobody can write, as a user whom no file names.

const MEBIBYTE = 2 ** 20
/** Whoever started the container, no file of the image knows that user. */
const STRANGER = '12345:54321'
const USERS = ['node', 'server/main.js', 'users']

describe('the image', { skip: noImage }, () => {
  let image: ReturnType<typeof buildImage>
  before(() => (image = buildImage()))
  after(() => image?.[Symbol.dispose]())

  /** As Docker makes a volume: empty, with the mode that the folder has in the image. */
  function newVolume() {
    const folder = temporaryFolder()
    const path = join(folder.path, 'data')
    mkdirSync(path)
    chmodSync(path, 0o1777)
    return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() }
  }
  async function serve(
    volume: string,
    { user = STRANGER, settings = {} }: { user?: string; settings?: Environment } = {},
  ) {
    const port = await freePort()
    const metricsPort = await freePort()
    // The image listens on every address, a test on loopback only.
    const env = {
      ...SETTINGS,
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ...settings,
    }
    const child = image.start({ volume, user, settings: env })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk))
    child.stderr.on('data', (chunk: Buffer) => (said += chunk))
    const url = `http://127.0.0.1:${port}`
    await until(
      () => `a 200: ${said}`,
      async () => {
        assert.equal(child.exitCode, null, said)
        return (await fetch(`${url}/health`).catch(() => undefined))?.status === 200
      },
    )
    return {
      url,
      env,
      said: () => said,
      stop: () => stop(child),
      [Symbol.asyncDispose]: async () => void (await stop(child, 'SIGKILL')),
    }
  }
  async function run(volume: string, command: readonly string[], settings = {}, input = '') {
    const child = image.start({ volume, user: STRANGER, command, settings })
    child.stdin.end(input)
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    if (child.exitCode === null) await once(child, 'exit')
    return { exitCode: child.exitCode, output: out + errors }
  }
  async function signUp(url: string, password = PASSWORD) {
    return await fetchPatiently(`${url}/api/v1/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ann@example.com', password, full_name: 'Ann' }),
    })
  }

  test('is at most 90 MB larger than its base, and holds neither TypeScript nor npm packages to install', () => {
    const aboveMb = image.bytesAboveBase() / MEBIBYTE
    assert.ok(aboveMb < 90, `${aboveMb} MB`)
    const files = readdirSync(join(image.root, 'app'), { recursive: true, encoding: 'utf8' })
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts')),
      [],
    )
    assert.match(readFileSync(join(image.root, 'app/LICENSES-OF-PACKAGES'), 'utf8'), /^fastify\n/m)
  })

  for (const [who, user] of [
    ['the user of the image', undefined],
    ['a user whom no file names', STRANGER],
    ['a random user of group 0, as OpenShift has it', '1000650000:0'],
  ] as const) {
    test(`200 as ${who}, on a root that nobody can write: all that is read at run time is there`, async () => {
      using volume = newVolume()
      await using service = await serve(volume.path, {
        user: user ?? image.config.User,
        settings: { SECRET_KEY: undefined },
      })
      const check = image.config.Healthcheck.Test.slice(1)
      const healthy = await run(volume.path, check, service.env)

      // A word list, and the code of the hash, which is native.
      const common = await signUp(service.url, 'password1234')
      assert.equal(common.status, 422, await common.text())
      assert.equal((await signUp(service.url)).status, 201)
      for (const path of [
        '/docs',
        '/docs/static/swagger-ui-bundle.js',
        '/openapi.json',
        '/reset',
      ]) {
        assert.equal((await fetch(service.url + path)).status, 200, path)
      }
      await until('the mail', () => /Verification code for ann@example\.com/.test(service.said()))

      assert.deepEqual(healthy, { exitCode: 0, output: '' })
      assert.equal(await service.stop(), 0, service.said())
      assert.equal((await run(volume.path, check, service.env)).exitCode, 1, 'nobody answers')
      assert.ok(existsSync(join(volume.path, 'secret.key')), 'the volume is used')
    })
  }

  test('its backup, as documented, is made while it runs and opens', async () => {
    using volume = newVolume()
    // Its own key, as on any first start.
    await using service = await serve(volume.path, { settings: { SECRET_KEY: undefined } })
    assert.equal((await signUp(service.url)).status, 201)

    using operator = temporaryFolder()
    const inImage = image.commandLine({ volume: volume.path, user: STRANGER, command: [] })
    runDocumented(operator.path, /^docker exec shop node -e/m, {
      docker: `shift 2; exec ${quoted(inImage)} "$@"`,
      env: image.env,
    })

    const [database = '', key = ''] = globSync('backup-*', { cwd: operator.path }).toSorted()
    assert.equal(statSync(join(operator.path, database)).mode & 0o777, 0o600)
    using copy = new DatabaseSync(join(operator.path, database), { readOnly: true })
    assert.equal(copy.prepare('select count(*) as users from users').get()?.['users'], 1)
    const own = readFileSync(join(volume.path, 'secret.key'), 'utf8')
    assert.equal(readFileSync(join(operator.path, key), 'utf8'), own)
    assert.deepEqual(globSync('backup*', { cwd: volume.path }), [], 'nothing is left behind')
  })

  test('200 on PostgreSQL, with a worker that sends the mail by SMTP and tells its health', async () => {
    const cluster = await startCluster({ durable: false })
    await using smtp = await startSmtpServer({ tls: 'none' })
    try {
      using volume = newVolume()
      const name = `image_${process.pid}`
      await createDatabase(cluster.url, name)
      const settings = {
        DATABASE_URL: cluster.url + name,
        WORKER: 'separate',
        MAIL_URL: smtp.url('?tls=off'),
        MAIL_FROM: 'shop@example.com',
      }
      await using service = await serve(volume.path, { settings })
      const metricsPort = String(await freePort())
      const worker = image.start({
        volume: volume.path,
        user: STRANGER,
        command: [...image.config.Cmd, 'work'],
        settings: { ...service.env, METRICS_PORT: metricsPort },
      })
      try {
        assert.equal((await signUp(service.url)).status, 201)
        await until('the mail', () => smtp.received.length > 0)
        const health = await fetch(`http://127.0.0.1:${metricsPort}/health`)
        assert.equal(health.status, 200)
      } finally {
        assert.equal(await stop(worker), 0)
      }
      assert.deepEqual(readdirSync(volume.path), [], 'with PostgreSQL the volume stays empty')
      await service.stop()
      await dropDatabase(cluster.url, name)
    } finally {
      await cluster.stop()
    }
  })

  describe('in compose', { skip: absent('caddy', 'pg_ctlcluster') }, () => {
    test('the role of create-role.sql owns its database only; admin, backup, restore and doctor work as documented', async () => {
      using folder = temporaryFolder()
      await using server = await startDebianPostgres(join(folder.path, 'server'))
      const password = 'it-is/quoted\'"'
      writeFileSync(join(folder.path, 'database_password'), `${password}\n`)
      const script = readFileSync('deploy/compose/create-role.sql', 'utf8')
      const asServed = script.replace('/run/secrets', folder.path)
      assert.notEqual(asServed, script)
      server.psql(asServed)
      using volume = newVolume()
      const database = `postgresql://coffee_shop:${encodeURIComponent(password)}@127.0.0.1:${server.port}/coffee_shop`
      writeFileSync(join(folder.path, 'database_url'), `${database}\n`)
      chmodSync(folder.path, 0o755)
      const settings = {
        ...SETTINGS,
        DATABASE_URL: database,
        JWT_SECRET_KEY: SETTINGS.SECRET_KEY.toUpperCase(),
        MIGRATE: 'off',
      }
      const inImage = image.commandLine({ volume: volume.path, user: STRANGER, command: [] })
      const env = { ...image.env, ...settings, ...server.env }
      // The words of Compose: exec -T SERVICE COMMAND…, run --rm SERVICE COMMAND…; the rest starts and stops.
      const docker = `shift; verb=$1; shift
case $verb in exec|run) ;; *) exit 0 ;; esac
while [ "\${1#-}" != "$1" ]; do shift; done
service=$1; shift
[ "$service" = database ] && exec "$@"
exec ${quoted(inImage)} "$@"`
      const documented = (pattern: RegExp, before = '') =>
        runDocumented(folder.path, pattern, { docker, env, before })

      const succeed = async (command: readonly string[], input = '') => {
        const { exitCode, output } = await run(volume.path, command, settings, input)
        assert.equal(exitCode, 0, output)
        return output
      }
      await succeed([...image.config.Cmd, 'migrate'])
      const passphrase = 'a long passphrase of the admin'
      await succeed([...USERS, 'create', 'ann@example.com', '--role', 'admin'], passphrase)
      mkdirSync(join(folder.path, 'secrets'))
      documented(/pg_dump/)
      await succeed([...USERS, 'create', 'bob@example.com'], PASSWORD)
      const [dump = ''] = globSync('backup-*.dump', { cwd: folder.path })
      documented(/pg_restore/, `backup=${dump.replace('.dump', '')}`)
      documented(/docker compose run --rm migrate .* doctor/)

      const users = await succeed([...USERS, 'list'])
      assert.match(users, /ann@example\.com/)
      assert.doesNotMatch(users, /bob@example\.com/)
      const rights = 'rolsuper, rolcreatedb, rolcreaterole'
      const role = "where rolname = 'coffee_shop'"
      assert.equal(server.psql(`select ${rights} from pg_roles ${role}`), 'f|f|f')
      const others = "has_database_privilege('public', 'coffee_shop', 'connect')"
      assert.equal(server.psql(`select ${others}`), 'f', 'also after it was restored')
    })

    test('200 over TLS through Caddy, which passes on the address of the client', async () => {
      using folder = temporaryFolder()
      using volume = newVolume()
      const [http, https, health] = [await freePort(), await freePort(), await freePort()]
      await using service = await serve(volume.path, {
        settings: { TRUSTED_PROXIES: '127.0.0.1/32', PUBLIC_URL: `https://localhost:${https}` },
      })
      const file = join(folder.path, 'Caddyfile')
      const ports = `http_port ${http}\n\thttps_port ${https}\n`
      const written = readFileSync('deploy/compose/Caddyfile', 'utf8')
        .replace('admin off\n', `admin off\n\t${ports}`)
        .replace('name api', 'name 127.0.0.1')
        .replace('port 8000', `port ${new URL(service.url).port}`)
        .replace(':8080', `:${health}`)
      writeFileSync(file, written)

      await using caddy = await startDebianProgram(
        'caddy',
        ['run', '--adapter', 'caddyfile', '--config', file],
        { port: health, cwd: folder.path, env: { XDG_DATA_HOME: folder.path } },
      )

      assert.equal((await fetch(`http://127.0.0.1:${health}/`)).status, 204)
      const authority = join(folder.path, 'caddy/pki/authorities/local/root.crt')
      await until(caddy.said, () => existsSync(authority))
      let answer: IncomingMessage | undefined
      await until(caddy.said, async () => {
        answer = await getOverTls(`https://localhost:${https}/health`, authority)
        return answer?.statusCode === 200
      })
      assert.match(String(answer?.headers['strict-transport-security']), /^max-age=/)
      const { headers } = await fetch(`http://localhost:${http}/docs`, { redirect: 'manual' })
      assert.match(String(headers.get('location')), /^https:\/\/localhost/)
      assert.doesNotMatch(service.said(), /behind one proxy/)
    })
  })
})

/** Runs the block of the documents that `pattern` finds, with a stand-in for `docker`. */
function runDocumented(
  folder: string,
  pattern: RegExp,
  {
    docker,
    env,
    before = '',
  }: { docker: string; env: Readonly<Record<string, string>>; before?: string },
): string {
  const documents = ['operations', 'runbook'].map((name) => readFileSync(`docs/${name}.md`, 'utf8'))
  const blocks = documents.join('').matchAll(/^```sh\n(.*?)^```/gms)
  const found = [...blocks].map(([, block = '']) => block).filter((block) => pattern.test(block))
  assert.equal(found.length, 1, `one block has ${pattern}`)
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\nset -eu\n${docker}\n`, { mode: 0o755 })
  const { status, stdout, stderr } = spawnSync('sh', ['-eu', '-c', `${before}\n${found[0]}`], {
    cwd: folder,
    env: { ...env, PATH: `${bin}:${env['PATH'] ?? process.env['PATH']}` },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout + stderr)
  return stdout + stderr
}

/** Debian's PostgreSQL, whose pg_dump is of the same version; passwords are asked over TCP only. */
async function startDebianPostgres(folder: string) {
  const bin = globSync('/usr/lib/postgresql/*/bin').at(-1) ?? ''
  const [uid = 0, gid = 0] = ['-u', '-g'].map((one) =>
    Number(spawnSync('id', [one, 'postgres'], { encoding: 'utf8' }).stdout),
  )
  mkdirSync(folder)
  chownSync(folder, uid, gid)
  chmodSync(dirname(folder), 0o755)
  const auth = ['--auth-local=trust', '--auth-host=scram-sha-256', '--username=postgres']
  const data = join(folder, 'data')
  const initialised = spawnSync(join(bin, 'initdb'), [...auth, '--encoding=UTF8', data], {
    uid,
    gid,
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(initialised.status, 0, initialised.stderr)
  const port = await freePort()
  const options = ['-c', 'fsync=off', '-c', `unix_socket_directories=${folder}`]
  const program = await startDebianProgram(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...options],
    { port, user: { uid, gid }, cwd: folder },
  )
  const env = { PGHOST: folder, PGPORT: String(port) }
  return {
    port,
    env,
    /** Runs a script as the superuser; the rows that it prints. */
    psql(script: string): string {
      const flags = ['--username=postgres', '--set=ON_ERROR_STOP=1', '--no-align', '--tuples-only']
      const { status, stdout, stderr } = spawnSync('psql', [...flags, '--quiet'], {
        env: { ...process.env, ...env },
        input: script,
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      return stdout.trim()
    },
    [Symbol.asyncDispose]: () => program.stop('SIGQUIT'),
  }
}

async function getOverTls(url: string, authority: string) {
  const asked = get(url, { ca: readFileSync(authority) })
  const answer = await once(asked, 'response').catch(() => [])
  return (answer as IncomingMessage[])[0]?.resume()
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM') {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode
}
