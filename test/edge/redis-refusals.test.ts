import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { checkRedis, openRedis, redisProblem } from '../../server/limits/redis.ts'
import { createLogger } from '../../server/lib/log.ts'
import { CERTIFICATE, CERTIFICATE_KEY } from '../support/certificate.ts'
import { freePort } from '../support/cluster.ts'
import { runProgram, temporaryFolder } from '../support/process.ts'
import { startDebianProgram } from '../support/programs.ts'
import { missing } from '../support/redis-server.ts'
import { SETTINGS } from '../support/service.ts'
import { until } from '../support/until.ts'

// Redis servers that answer, and cannot be used.

const SENTINEL = 'sentinel monitor shop 127.0.0.1 1 1\n'

/** A Redis of this kind in a folder of its own; `file` is its configuration. */
async function startKind(options: readonly string[], file = '') {
  const folder = temporaryFolder()
  const port = await freePort()
  const [certificate, key] = [join(folder.path, 'certificate.pem'), join(folder.path, 'key.pem')]
  writeFileSync(certificate, CERTIFICATE)
  writeFileSync(key, CERTIFICATE_KEY)
  const config = join(folder.path, 'redis.conf')
  writeFileSync(config, `bind 127.0.0.1\nsave ""\ndir ${folder.path}\n${file}`)
  const isTls = options.includes('--tls')
  const ports = isTls
    ? ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no']
        .concat('--tls-cert-file', certificate)
        .concat('--tls-key-file', key)
        .concat('--tls-ca-cert-file', certificate)
    : ['--port', String(port)]
  const rest = options.filter((option) => option !== '--tls')
  const program = await startDebianProgram('redis-server', [config, ...rest, ...ports], { port })
  return {
    port,
    certificate,
    async [Symbol.asyncDispose]() {
      await program.stop()
      folder[Symbol.dispose]()
    },
  }
}

/** The lines of a process that counts in this Redis, once there is one. */
async function linesAbout(url: string): Promise<string[]> {
  const lines: string[] = []
  const log = await createLogger(
    { level: 'info', format: 'json' },
    { write: (line) => void lines.push(line) },
  )
  const counts = openRedis(url, log)
  await until('a line', () => lines.length > 0)
  assert.equal(counts.isUp(), false)
  counts.close()
  return lines
}

async function takeHalfOfSlots(port: number): Promise<void> {
  const client = new Redis(port)
  await client.call('cluster', 'addslotsrange', '0', '8000')
  client.disconnect()
}

describe('a Redis that cannot be used is named with its reason', { skip: missing }, () => {
  for (const { kind, options = [], file, prepare, url = 'redis://127.0.0.1', path = '', why } of [
    {
      kind: 'with a password that REDIS_URL lacks',
      options: ['--requirepass', 'secret'],
      why: /^it requires a password in REDIS_URL$/,
    },
    {
      kind: 'with another password',
      options: ['--requirepass', 'secret'],
      url: 'redis://:wrong@127.0.0.1',
      why: /^WRONGPASS /,
    },
    {
      kind: 'whose user may write, but not run scripts',
      file: 'user shop on >secret ~* +set\n',
      url: 'redis://shop:secret@127.0.0.1',
      why: /^NOPERM .*'eval'/,
    },
    {
      kind: 'without the database of REDIS_URL',
      path: '/77',
      why: /^ERR DB index is out of range$/,
    },
    { kind: 'that is a replica', options: ['--replicaof', '127.0.0.1 1'], why: /^READONLY / },
    { kind: 'that is full', options: ['--maxmemory', '1'], why: /^OOM / },
    {
      kind: 'that is a node of a cluster',
      options: ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'],
      prepare: takeHalfOfSlots,
      why: /^a Redis Cluster is not supported: use one server$/,
    },
    {
      kind: 'that is a Sentinel',
      options: ['--sentinel'],
      file: SENTINEL,
      why: /a Redis Sentinel is not supported/,
    },
    {
      kind: 'whose certificate nobody trusts',
      options: ['--tls'],
      url: 'rediss://127.0.0.1',
      why: /^self-signed certificate/,
    },
  ] as readonly Kind[]) {
    test(kind, async () => {
      await using redis = await startKind(options, file)
      await prepare?.(redis.port)
      const whole = `${url}:${redis.port}${path}`

      const problem = await checkRedis(whole).then(() => 'none', redisProblem)
      const lines = await linesAbout(whole)

      assert.match(problem, why)
      const { reason, msg, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, string>
      assert.match(reason ?? '', why)
      assert.match(msg ?? '', /^Redis is unavailable/)
      assert.deepEqual(Object.keys(rest), ['level', 'time'])
      assert.equal(lines.length, 1)
    })
  }

  test('doctor trusts the authority in NODE_EXTRA_CA_CERTS, and names a certificate that it does not', async () => {
    await using redis = await startKind(['--tls'])
    const env = {
      ...SETTINGS,
      DATABASE_URL: 'sqlite:///:memory:',
      REDIS_URL: `rediss://localhost:${redis.port}`,
    }

    const trusting = await runProgram(['doctor'], {
      env: { ...env, NODE_EXTRA_CA_CERTS: redis.certificate },
    })
    const other = await runProgram(['doctor'], { env })

    assert.match(trusting.stdout, /^ok {3}Redis$/m)
    assert.match(other.stdout, /^FAIL REDIS_URL .* \(self-signed certificate/m)
  })
})

test('a user with the rights that docs/limits.md names may count', { skip: missing }, async () => {
  const document = readFileSync('docs/limits.md', 'utf8')
  const rights = document.match(/(?<=`)(?:~coffee-shop:\S+|\+[a-z]+)(?=`)/g) ?? []
  await using redis = await startKind([], `user shop on >secret ${rights.join(' ')}\n`)

  await checkRedis(`redis://shop:secret@127.0.0.1:${redis.port}/3`)
})

interface Kind {
  readonly kind: string
  readonly options?: readonly string[]
  readonly file?: string
  readonly prepare?: (port: number) => Promise<void>
  /** Without its port. */
  readonly url?: string
  readonly path?: string
  readonly why: RegExp
}
