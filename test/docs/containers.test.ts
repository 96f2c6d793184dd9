import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { readConfig } from '../../server/settings/config.ts'
import { SETTINGS } from '../../server/settings/settings.ts'
import { freePort } from '../support/cluster.ts'

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

  test('installs production dependencies only, without running their scripts', () => {
    const install = instructions.find(({ args }) => args.startsWith('npm ci'))
    assert.match(install?.args ?? '', /--omit=dev --ignore-scripts/)
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
    assert.deepEqual(
      ignored.slice(1).toSorted(),
      [...new Set(copied)].map((path) => `!${path}`).toSorted(),
    )
  })

  test('copies every file that the program reads', () => {
    const outside = globSync('server/**/*.ts').filter((file) =>
      [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)].some(
        ([, to = '']) => !join(dirname(file), to).startsWith('server/'),
      ),
    )
    assert.deepEqual(outside, [])
  })

  test('runs as another user than root, who owns the data volume', () => {
    assert.equal(only('USER'), 'node')
    assert.equal(only('VOLUME'), '/app/data')
    assert.match(only('RUN'), /^install --directory --owner=node --group=node --mode=700 data$/)
    assert.ok(
      lastStage.findIndex(({ name }) => name === 'RUN') <
        lastStage.findIndex(({ name }) => name === 'USER'),
    )
  })

  test('listens on every address, on the port that it exposes', () => {
    assert.deepEqual(imageEnv, { HOST: '0.0.0.0', PORT: '8000' })
    assert.equal(only('EXPOSE'), imageEnv['PORT'])
  })

  test('CMD serves and HEALTHCHECK passes, both as written; without the service it fails', async () => {
    const command = execForm(only('CMD'))
    const check = execForm(only('HEALTHCHECK'))
    const folder = likeTheImage()
    // The image listens on every address, a test on loopback only.
    const env = {
      ...imageEnv,
      PATH: dirname(process.execPath),
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
    }
    const run = ([file = '', ...args]: string[]) =>
      spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const healthy = () =>
      spawnSync(check[0] ?? '', check.slice(1), { cwd: folder, env, timeout: 5000 }).status

    const service = run(command)
    const exited = once(service, 'exit')
    try {
      await new Promise<void>((heard, failed) => {
        service.stdout.on('data', (text) => String(text).includes('listens on') && heard())
        void exited.then(() => failed(new Error('it ended')))
      })
      assert.equal(healthy(), 0)
    } finally {
      service.kill('SIGTERM')
      const [exitCode] = await exited
      assert.equal(exitCode, 0, 'signals reach the process itself')
      assert.ok(existsSync(join(folder, 'data/secret.key')))
    }
    assert.equal(healthy(), 1)
    rmSync(folder, { recursive: true })
  })

  test('CMD is what npm start runs, without npm', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.equal(execForm(only('CMD')).join(' '), scripts.start)
  })
})

interface ComposeService {
  image?: string
  build?: string
  environment: Record<string, string | number>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  ports?: string[]
  volumes?: string[]
  command?: string[]
  env_file?: unknown
  stop_grace_period?: string
}
const composeText = readFileSync('compose.yaml', 'utf8')
const compose = parse(composeText) as {
  services: Record<'database' | 'api' | 'worker', ComposeService>
  volumes: Record<string, unknown>
}
const { api, database, worker } = compose.services

describe('compose.yaml', () => {
  test('starts the API from this Dockerfile once PostgreSQL is healthy', () => {
    assert.equal(api.build, '.')
    assert.deepEqual(api.depends_on, { database: { condition: 'service_healthy' } })
    assert.match(database.image ?? '', /^postgres:1[78]\.\d+$/)
    const { POSTGRES_USER: user, POSTGRES_DB: name } = database.environment
    assert.deepEqual(database.healthcheck?.test, [
      'CMD',
      'pg_isready',
      '--host=127.0.0.1',
      `--username=${user}`,
      `--dbname=${name}`,
    ])
  })

  test('starts a worker from the same image and settings, by the command of npm run work', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.equal(worker.command?.join(' '), scripts.work)
    assert.equal(worker.image, api.image)
    assert.equal(worker.build, undefined, 'one build, one image')
    assert.deepEqual(worker.environment, api.environment)
    assert.deepEqual(worker.env_file, api.env_file)
    assert.equal(api.environment['WORKER'], 'separate')
    assert.deepEqual(worker.depends_on, { api: { condition: 'service_healthy' } })
    // Longer than the program takes to finish what it holds.
    assert.equal(worker.stop_grace_period, '65s')
  })

  test('can be scaled: a range of ports, no container names', () => {
    assert.doesNotMatch(composeText, /container_name/)
    const [, first, last, inside] = /^(\d+)-(\d+):(\d+)$/.exec(api.ports?.join() ?? '') ?? []
    assert.ok(Number(last) - Number(first) >= 2)
    assert.equal(Number(inside), api.environment['PORT'])
  })

  test('keeps the data of PostgreSQL 18 in a named volume', () => {
    // Since 18 the image’s volume is one level higher; the old path would lose the data.
    assert.deepEqual(database.volumes, ['database:/var/lib/postgresql'])
    assert.deepEqual(Object.keys(compose.volumes), ['database'])
  })

  test('takes its secrets from the environment and refuses to start without', () => {
    for (const secret of ['SECRET_KEY', 'POSTGRES_PASSWORD']) {
      const uses = composeText
        .replaceAll(/^ *#.*$/gm, '')
        .match(new RegExp(`\\$\\{${secret}\\b[^}]*\\}`, 'g'))
      assert.ok(uses !== null && uses.every((use) => use.startsWith(`\${${secret}:?`)), secret)
    }
    const settings = Object.keys(api.environment)
    assert.deepEqual(
      settings.filter((name) => !Object.hasOwn(SETTINGS, name)),
      [],
    )
  })

  test('gives the API a configuration that starts', () => {
    const given: Record<string, string> = {
      SECRET_KEY: 'kU6fR2xv9QmT4bNc8wLz1HsY7dJp3GaE',
      POSTGRES_PASSWORD: 'f00dba11',
    }
    const filled = Object.entries(api.environment).map(([name, value]) => [
      name,
      String(value).replaceAll(
        /\$\{(\w+):[?-]([^}]*)\}/g,
        (_, key: string, rest: string) => given[key] ?? rest,
      ),
    ])

    const { config, secrets } = readConfig(Object.fromEntries(filled))

    assert.equal(config.host, '0.0.0.0')
    assert.equal(config.publicUrl, 'http://localhost:8000')
    const { POSTGRES_USER: user, POSTGRES_DB: name } = database.environment
    assert.deepEqual(secrets.databaseUrl, {
      kind: 'postgres',
      url: `postgresql://${user}:f00dba11@database/${name}`,
    })
  })
})

/** A folder with what the image holds, as links into the checkout. */
function likeTheImage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-image-'))
  for (const name of ['server', 'node_modules', 'package.json', 'LICENSE']) {
    symlinkSync(resolve(name), join(folder, name))
  }
  return folder
}
