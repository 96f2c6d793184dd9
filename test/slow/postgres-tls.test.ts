import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../../server/database/open.ts'
import { databaseProblem } from '../../server/database/problems.ts'
import { databaseUrl } from '../../server/database/url.ts'
import {
  CERTIFICATE,
  CERTIFICATE_KEY,
  STRANGERS_CERTIFICATE,
  STRANGERS_CERTIFICATE_KEY,
} from '../support/certificate.ts'
import { type Cluster, query, startCluster } from '../support/cluster.ts'

const UNKNOWN = /^DATABASE_URL: the certificate of the server is of an unknown authority/
const OTHER_HOST = /^DATABASE_URL: the certificate of the server is for another host/
const NOT_ALLOWED = /^DATABASE_URL: the server does not allow this user to connect from here/

const REJECTED = /^DATABASE_URL: the server rejected the user or password/
const NO_BINDING = /the server offers no channel binding/

/** What the server allows, and for each of the URL's parameters what comes of it. */
const CASES: Readonly<Record<string, readonly [string, 'encrypted' | 'plain' | RegExp][]>> = {
  'has no encryption': [
    ['', 'plain'],
    ['sslmode=prefer', 'plain'],
    ['sslmode=allow', 'plain'],
    ['sslmode=require', /^DATABASE_URL: the server has no encryption/],
    ['sslmode=verify-full', /^DATABASE_URL: the server has no encryption/],
  ],
  'offers encryption': [
    ['', 'encrypted'],
    ['sslmode=disable', 'plain'],
    ['sslmode=allow', 'plain'],
    ['sslmode=prefer', 'encrypted'],
    ['sslmode=require', 'encrypted'],
    ['sslmode=require&sslnegotiation=direct', 'encrypted'],
    ['sslmode=verify-full', UNKNOWN],
    ['sslrootcert=system', UNKNOWN],
    ['sslmode=verify-full&sslrootcert=FOLDER/server.crt', 'encrypted'],
    ['sslmode=verify-full&sslrootcert=FOLDER/stranger.crt', UNKNOWN],
    ['sslmode=verify-ca&sslrootcert=FOLDER/stranger.crt', UNKNOWN],
    ['sslmode=require&sslrootcert=FOLDER/stranger.crt', UNKNOWN],
    ['sslmode=require&channel_binding=prefer', 'encrypted'],
    ['sslmode=require&channel_binding=require', NO_BINDING],
    ['other-host&sslmode=verify-full&sslrootcert=FOLDER/server.crt', OTHER_HOST],
    ['other-host&sslmode=verify-ca&sslrootcert=FOLDER/server.crt', 'encrypted'],
  ],
  'takes encrypted connections only': [
    ['', 'encrypted'],
    ['sslmode=allow', 'encrypted'],
    ['sslmode=disable', NOT_ALLOWED],
    ['wrong-password', REJECTED],
    ['wrong-password&sslmode=allow', REJECTED],
  ],
  'takes plain connections only': [
    ['', 'plain'],
    ['sslmode=require', NOT_ALLOWED],
    ['wrong-password', REJECTED],
  ],
  'offers channel binding': [
    ['', 'encrypted'],
    ['sslmode=require&channel_binding=require', 'encrypted'],
    ['sslmode=disable&channel_binding=prefer', 'plain'],
    ['sslmode=disable&channel_binding=require', NO_BINDING],
  ],
  'asks for a certificate': [
    ['sslmode=require', NOT_ALLOWED],
    ['sslmode=require&sslcert=FOLDER/server.crt&sslkey=FOLDER/server.key', 'encrypted'],
    ['sslmode=require&sslcert=FOLDER/stranger.crt&sslkey=FOLDER/stranger.key', /^DATABASE_URL: /],
  ],
}
/** The same for passwords. */
const PASSWORDS: Readonly<Record<string, readonly [string, 'plain' | RegExp][]>> = {
  trust: [
    ['', 'plain'],
    ['anything', 'plain'],
  ],
  'scram-sha-256': [
    ['', /^DATABASE_URL: the server asks for a password, and the URL has none/],
    ['anything', REJECTED],
  ],
  md5: [
    ['', /^DATABASE_URL: /],
    ['anything', REJECTED],
  ],
}
const HBA: Readonly<Record<string, string>> = {
  'has no encryption': 'host all all all password',
  'offers encryption': 'host all all all password',
  'takes encrypted connections only': 'hostssl all all all password',
  'takes plain connections only': 'hostnossl all all all password',
  'offers channel binding': 'host all all all scram-sha-256',
  'asks for a certificate': 'hostssl all all all password clientcert=verify-ca',
}

describe('a server that', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-tls-'))
  let cluster: Cluster
  let hbaFile: string
  before(async () => {
    cluster = await startCluster({ durable: false })
    const [{ hba_file: file }] = await query(`${cluster.url}postgres`, 'show hba_file')
    hbaFile = file
    // Only its owner may read a key; we are that, or root.
    const { uid, gid } = statSync(hbaFile)
    for (const [name, text] of [
      ['server.crt', CERTIFICATE],
      ['server.key', CERTIFICATE_KEY],
      ['stranger.crt', STRANGERS_CERTIFICATE],
      ['stranger.key', STRANGERS_CERTIFICATE_KEY],
    ] as const) {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      chownSync(join(folder, name), uid, gid)
    }
    chownSync(folder, uid, gid)
  })
  after(async () => {
    await cluster.stop()
    rmSync(folder, { recursive: true })
  })

  async function restartWith(settings: Readonly<Record<string, string>>, hba: string) {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`)
    writeFileSync(join(dirname(hbaFile), 'postgresql.auto.conf'), lines.join('\n'))
    writeFileSync(hbaFile, hba)
    await cluster.crash()
    await cluster.restart()
  }

  for (const [server, cases] of Object.entries(CASES)) {
    test(`${server}: connections as the URL says, or one sentence`, async () => {
      const settings = {
        ssl: server === 'has no encryption' ? 'off' : 'on',
        ssl_cert_file: join(folder, 'server.crt'),
        ssl_key_file: join(folder, 'server.key'),
        ssl_ca_file: join(folder, 'server.crt'),
      }
      await restartWith(settings, HBA[server] ?? '')

      for (const [parameters, expected] of cases) {
        const url = new URL(`${cluster.url}postgres`)
        if (parameters.startsWith('other-host')) url.hostname = '0.0.0.0'
        if (parameters.startsWith('wrong-password')) url.password = 'wrong'
        const given = parameters
          .replace(/^(?:other-host|wrong-password)&?/, '')
          .replaceAll('FOLDER', folder)
        const outcome = await encryptionOf(`${url.href}?${given}`)

        const where = `?${parameters}: ${outcome}`
        if (typeof expected === 'string') assert.equal(outcome, expected, where)
        else assert.match(outcome, expected, where)
      }
    })
  }

  for (const [method, cases] of Object.entries(PASSWORDS)) {
    test(`asks by ${method}: an empty password means what it does to libpq`, async () => {
      await restartWith({}, `host all all all ${method}`)

      for (const [password, expected] of cases) {
        const url = new URL(`${cluster.url}postgres`)
        url.password = password
        // An empty password is written as `user:@host`, and none as `user@host`.
        for (const written of [url.href, url.href.replace('postgres@', 'postgres:@')]) {
          const outcome = await encryptionOf(written)

          if (typeof expected === 'string') assert.equal(outcome, expected)
          else assert.match(outcome, expected)
        }
      }
    })
  }
})

async function encryptionOf(url: string): Promise<string> {
  const backend = await openDatabase(databaseUrl(url))
  try {
    const { rows } = await sql<{ ssl: boolean }>`
      select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(backend.reader)
    return rows[0]?.ssl === true ? 'encrypted' : 'plain'
  } catch (error) {
    return databaseProblem(error) ?? String(error)
  } finally {
    await backend.close()
  }
}
