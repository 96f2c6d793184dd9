import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { readConfig } from '../../server/settings/config.ts'
import { SETTINGS } from '../../server/settings/settings.ts'

const settingNames = new Set(
  Object.entries(SETTINGS).flatMap(([name, { secret }]) =>
    secret ? [name, `${name}_FILE`] : [name],
  ),
)
const instructions = readFileSync('Dockerfile', 'utf8')
  .split('\n')
  .map((line) => /^([A-Z]+) (.+)$/.exec(line))
  .filter((match) => match !== null)
  .map(([, name = '', args = '']) => ({ name, args }))
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
const only = (name: string) => {
  const found = lastStage.filter((instruction) => instruction.name === name)
  assert.equal(found.length, 1, `${name} stands once in the last stage`)
  return found[0]?.args ?? ''
}
const execForm = (args: string) => JSON.parse(args.slice(args.indexOf('['))) as string[]
const imageEnv = Object.fromEntries(
  only('ENV')
    .split(' ')
    .map((pair) => pair.split('=')),
)

describe('Dockerfile', () => {
  test('takes every stage from one official Node 26.13 or newer, by its version', () => {
    const images = new Set(
      instructions.filter(({ name }) => name === 'FROM').map(({ args }) => args.split(' ')[0]),
    )
    assert.equal(images.size, 1)
    const version = /^node:26\.(\d+)\.\d+-slim$/.exec([...images][0] ?? '')
    assert.ok(Number(version?.[1]) >= 13)
  })

  test('installs what builds the web app, production dependencies and what bundles them, without running scripts', () => {
    const installs = instructions.filter(({ args }) => args.includes('npm ci'))
    assert.deepEqual(
      installs.map(({ args }) => args.replace(' --no-audit --no-fund', '')),
      [
        'npm ci --workspace client --workspace web --ignore-scripts',
        'npm ci --omit=dev --ignore-scripts',
        'cd tools/bundler && npm ci --ignore-scripts',
      ],
    )
    const { packages } = JSON.parse(readFileSync('tools/bundler/package-lock.json', 'utf8'))
    const { dependencies } = JSON.parse(readFileSync('tools/bundler/package.json', 'utf8'))
    assert.deepEqual(packages[''].dependencies, dependencies)
  })

  test('copies what exists, and what .dockerignore lets through', () => {
    const copied = instructions
      .filter(({ name, args }) => name === 'COPY' && !args.startsWith('--from'))
      .flatMap(({ args }) => args.split(' ').slice(0, -1))
    assert.deepEqual(
      copied.filter((path) => !existsSync(path)),
      [],
    )
    const ignored = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => !/^(#|$)/.test(line))
    assert.equal(ignored[0], '*')
    const built = ['client/dist', 'web/dist', 'tools/bundler/node_modules']
    assert.deepEqual(ignored.slice(-built.length), built)
    assert.deepEqual(
      ignored.slice(1, -built.length).toSorted(),
      [...new Set(copied)].map((path) => `!${path}`).toSorted(),
    )
  })

  test('copies every file that the program imports', () => {
    const outside = globSync('server/**/*.ts').filter((file) =>
      [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)].some(
        ([, to = '']) => !join(dirname(file), to).startsWith('server/'),
      ),
    )
    assert.deepEqual(outside, [])
  })

  test('copies every folder of the server that the web app imports from', () => {
    const ofWeb = instructions.slice(
      0,
      instructions.findIndex(({ args }) => args === 'node web/build.ts'),
    )
    const copied = ofWeb.filter(({ name }) => name === 'COPY').map(({ args }) => args.split(' ')[0])
    const imported = globSync('web/src/**/*.ts{,x}').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/from '([./]*\/server\/[^']+)'/g)].map(
        ([, to = '']) => join(dirname(file), to),
      ),
    )
    assert.ok(imported.length > 0)
    assert.deepEqual(
      imported.filter((path) => !copied.some((folder) => path.startsWith(`${folder}/`))),
      [],
    )
  })

  test('bundles what the program reads: pages, and the files of packages that it names', () => {
    const bundler = readFileSync('tools/bundler/bundle.mjs', 'utf8')
    const found = globSync('server/**/*.ts').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^.*\bimport\.meta\.(.+)/gm)].map(
        ([line, use = '']) => ({ file, line, use }),
      ),
    )
    const packages = found.flatMap(({ use }) => /^resolve\('(@?[^/]+\/[^/]+)/.exec(use)?.[1] ?? [])
    assert.deepEqual(
      packages.filter((name) => !bundler.includes(`'${name}/package.json'`)),
      [],
    )
    const [, thread] = /(server\/\S+\/sqlite-thread\.ts)'/.exec(bundler) ?? []
    assert.ok(thread !== undefined && existsSync(thread), 'a thread is an entry point')
    // The bundle is two folders deep: what names another file from elsewhere would not find it.
    const others = found.filter(
      ({ file, line, use }) =>
        !use.startsWith('resolve(') &&
        use !== "dirname, 'pages')" &&
        !line.includes('`sqlite-thread${') &&
        !(/'\.\.\/\.\.['/]/.test(line) && /^server\/[^/]+\/[^/]+$/.test(file)),
    )
    assert.deepEqual(others, [])
  })

  test('runs as another user than root, by number, and lets any user write to the data volume', () => {
    assert.match(only('USER'), /^[1-9]\d*$/)
    assert.equal(only('VOLUME'), '/app/data')
    assert.equal(only('RUN'), 'mkdir data && chmod 1777 data')
    assert.ok(
      lastStage.findIndex(({ name }) => name === 'RUN') <
        lastStage.findIndex(({ name }) => name === 'USER'),
    )
  })

  test('listens on every address, on the port that it exposes', () => {
    assert.deepEqual(imageEnv, { HOST: '0.0.0.0', PORT: '8000' })
    assert.equal(only('EXPOSE'), imageEnv['PORT'])
  })

  test('is labelled with the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.match(only('LABEL'), new RegExp(`\\.version="${RegExp.escape(version)}"`))
  })

  test('runs the program itself, not npm, which would swallow the signals', () => {
    assert.deepEqual(execForm(only('CMD')), ['node', 'server/main.js'])
    assert.equal(execForm(only('HEALTHCHECK'))[0], 'node')
  })
})

interface ComposeService {
  image?: string
  build?: string
  user?: string
  environment: Record<string, string | number>
  healthcheck?: { test?: string[]; disable?: boolean }
  depends_on?: Record<string, { condition: string }>
  ports?: string[]
  networks?: string[]
  volumes?: string[]
  secrets?: string[]
  command?: string[]
  cap_add?: string[]
  cap_drop?: string[]
  read_only?: boolean
  env_file?: unknown
  restart?: string
  stop_grace_period?: string
}
type Name = 'proxy' | 'api' | 'worker' | 'migrate' | 'database' | 'limits' | 'mail'
const composeText = readFileSync('compose.yaml', 'utf8')
const compose = parse(composeText, { merge: true }) as {
  services: Record<Name, ComposeService>
  networks: Record<string, { internal?: boolean } | null>
  volumes: Record<string, unknown>
  secrets: Record<string, { file: string }>
}
const { proxy, api, database, worker, migrate } = compose.services
const all = Object.entries(compose.services)
/** With the defaults of its variables. */
const filled = (value: string | number) => {
  let text = String(value)
  while (/\$\{\w+:-[^${}]*\}/.test(text)) text = text.replaceAll(/\$\{\w+:-([^${}]*)\}/g, '$1')
  return text
}

describe('compose.yaml', () => {
  test('migrates once the database is healthy, then starts API and worker, then the proxy', () => {
    assert.deepEqual(migrate.depends_on, { database: { condition: 'service_healthy' } })
    assert.deepEqual(migrate.command, [...execForm(only('CMD')), 'migrate'])
    assert.equal(migrate.restart, 'no')
    for (const service of [api, worker]) {
      assert.deepEqual(service.depends_on, {
        migrate: { condition: 'service_completed_successfully' },
        database: { condition: 'service_healthy' },
        limits: { condition: 'service_healthy' },
      })
    }
    assert.deepEqual(proxy.depends_on, { api: { condition: 'service_healthy' } })
    assert.deepEqual(worker.command, [...execForm(only('CMD')), 'work'])
  })

  test('checks the health of everything that runs on', () => {
    const unchecked = all.filter(
      ([, { healthcheck }]) => healthcheck === undefined || healthcheck.disable,
    )
    assert.deepEqual(
      unchecked.map(([name]) => name),
      ['migrate'],
    )
    // The image has one of its own.
    assert.equal(api.healthcheck?.test, undefined)
  })

  test('runs the same image with the same settings three times', () => {
    for (const service of [worker, migrate]) {
      for (const key of ['image', 'build', 'environment', 'env_file', 'secrets'] as const) {
        assert.deepEqual(service[key], api[key], key)
      }
    }
    assert.deepEqual(
      Object.keys(api.environment).filter((name) => !settingNames.has(name)),
      [],
    )
  })

  test('publishes only the proxy, on loopback unless asked, and can be scaled', () => {
    assert.doesNotMatch(composeText, /container_name/)
    const published = all.filter(([, { ports }]) => ports !== undefined)
    assert.deepEqual(
      published.map(([name]) => name),
      ['proxy', 'mail'],
    )
    const ports = published.flatMap(([, { ports = [] }]) => ports.map(filled))
    assert.deepEqual(ports, ['127.0.0.1:80:80', '127.0.0.1:443:443', '127.0.0.1:8025:8025'])
  })

  test('keeps the proxy away from the database, and the database from the world', () => {
    assert.deepEqual(proxy.networks, ['front'])
    for (const name of ['database', 'limits'] as const) {
      assert.deepEqual(compose.services[name].networks, ['back'])
    }
    assert.equal(compose.networks['back']?.internal, true)
  })

  test('takes every right that is not needed', () => {
    for (const [name, service] of all) {
      assert.equal(service.read_only, true, name)
      assert.deepEqual(service.cap_drop, ['ALL'], name)
      assert.deepEqual(service.cap_add ?? [], name === 'proxy' ? ['NET_BIND_SERVICE'] : [], name)
    }
  })

  test('keeps the data of PostgreSQL 18 in a named volume', () => {
    assert.match(database.image ?? '', /^postgres:18\.\d+$/)
    // Since 18 the image’s volume is one level higher; the old path would lose the data.
    assert.equal(database.volumes?.[0], 'database:/var/lib/postgresql')
    assert.ok(Object.hasOwn(compose.volumes, 'database'))
  })

  test('gives time to stop: the delay, and what the program takes to finish', () => {
    const delay = Number(api.environment['SHUTDOWN_DELAY_SECONDS'])
    assert.equal(delay, 5)
    assert.ok(Number.parseInt(api.stop_grace_period ?? '') > delay + 15)
    assert.ok(Number.parseInt(worker.stop_grace_period ?? '') > 60)
  })

  test('the secrets of 1.0.0 are taken over as docs/operations.md says', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-upgrade-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const script = 'deploy/compose/make-secrets.sh'
    mkdirSync(join(folder, 'deploy/compose'), { recursive: true })
    cpSync(script, join(folder, script))
    const settings = [
      'SECRET_KEY=replaced',
      'SECRET_KEY="kU6fR2xv9Qm/4bNc8wLz1HsY7dJp3Ga="',
      'POSTGRES_PASSWORD=f00dba11',
      // No text for a shell.
      'MAIL_FROM=Coffee Shop <shop@example.com>',
      'MAIL_URL=smtp://shop:a$b@mail.example.com:587',
    ]
    writeFileSync(join(folder, '.env'), `${settings.join('\n')}\n`)
    const guide = readFileSync('docs/operations.md', 'utf8').split('**From 1.0.0**')[1] ?? ''
    const [, block = ''] = /```sh\n(.*?)^docker/ms.exec(guide) ?? []

    execFileSync('sh', ['-euc', block], { cwd: folder })

    const secret = (name: string) => readFileSync(join(folder, 'secrets', name), 'utf8').trim()
    assert.equal(secret('secret_key'), 'kU6fR2xv9Qm/4bNc8wLz1HsY7dJp3Ga=')
    assert.equal(secret('database_url'), 'postgresql://coffee_shop:f00dba11@database/coffee_shop')
    assert.equal(secret('mail_url'), 'smtp://shop:a$b@mail.example.com:587')
    assert.ok(secret('jwt_secret_key').length >= 32)
  })

  test('make-secrets makes every secret that compose reads once, and a configuration that starts', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-secrets-'))
    t.after(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'deploy/compose'), { recursive: true })
    const script = 'deploy/compose/make-secrets.sh'
    cpSync(script, join(folder, script))
    const read = () =>
      Object.fromEntries(
        readdirSync(join(folder, 'secrets')).map((name) => [
          name,
          readFileSync(join(folder, 'secrets', name), 'utf8'),
        ]),
      )

    // From anywhere, and whatever the umask.
    execFileSync('sh', ['-c', `umask 077; sh ${folder}/${script}`], { cwd: '/' })
    const made = read()
    // As a backup has it.
    chmodSync(join(folder, 'secrets/secret_key'), 0o600)
    execFileSync('sh', [join(folder, script)])

    assert.deepEqual(read(), made, 'what is there stays')
    assert.deepEqual(Object.keys(made).toSorted(), Object.keys(compose.secrets).toSorted())
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      assert.equal(file, `./secrets/${name}`)
    }
    // Containers read them as other users, of which none gets into the folder.
    assert.equal(statSync(join(folder, 'secrets')).mode & 0o777, 0o700)
    assert.equal(statSync(join(folder, 'secrets/secret_key')).mode & 0o777, 0o644)
    const environment = Object.entries(api.environment).map(([name, value]) => [
      name,
      filled(value).replace('/run/', `${folder}/`),
    ])
    const { config, secrets } = readConfig(Object.fromEntries(environment))
    assert.equal(config.publicUrl, 'https://localhost')
    const url = `postgresql://coffee_shop:${made['database_password']?.trim()}@database/coffee_shop`
    assert.equal(made['database_url']?.trim(), url)
    assert.equal(secrets.databaseUrl.kind, 'postgres')
  })
})
