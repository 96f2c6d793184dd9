import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readPostgresUrl, routesOf } from '../../server/database/postgres-url.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { CERTIFICATE, CERTIFICATE_KEY, STRANGERS_CERTIFICATE_KEY } from '../support/certificate.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'coffee-shop-tls-'))
const FILES = {
  'root.crt': CERTIFICATE,
  'own.key': CERTIFICATE_KEY,
  'other.key': STRANGERS_CERTIFICATE_KEY,
  'noise.txt': 'noise',
}
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(FOLDER, name), text)
process.once('exit', () => rmSync(FOLDER, { recursive: true }))
const SOCKET = '/var/run/postgresql'

/** As `DATABASE_URL` reads it, with the names of files in their folder. */
function read(url: string) {
  const parsed = databaseUrl(url.replaceAll('FOLDER', FOLDER))
  assert.ok(parsed.kind === 'postgres')
  return readPostgresUrl(parsed.url)
}

/** Plain, encrypted, or encrypted with what is verified, in the order in which they are tried. */
function encryptionOf(url: string): string[] {
  return routesOf(read(url)).map(({ ssl }) => {
    if (ssl === false) return 'plain'
    if (!ssl.rejectUnauthorized) return 'encrypted'
    return ssl.checkServerIdentity === undefined ? 'verified with its name' : 'verified'
  })
}

describe('hosts, user, password and name', () => {
  for (const [url, expected] of [
    ['postgresql://u:p@db/shop', [[{ host: 'db', port: 5432 }], 'u', 'p', 'shop']],
    ['postgresql://u:p%40%25@db:6432/a%20b', [[{ host: 'db', port: 6432 }], 'u', 'p@%', 'a b']],
    ['postgresql://u:p@ss@db/shop', [[{ host: 'db', port: 5432 }], 'u', 'p@ss', 'shop']],
    ['postgresql://u:@db/shop', [[{ host: 'db', port: 5432 }], 'u', '', 'shop']],
    ['postgresql://u@db', [[{ host: 'db', port: 5432 }], 'u', '', 'u']],
    ['postgresql://db/shop', [[{ host: 'db', port: 5432 }], userInfo().username, '', 'shop']],
    [
      'postgresql://u:p@a,b:1,[::1]:2/shop',
      [
        [
          { host: 'a', port: 5432 },
          { host: 'b', port: 1 },
          { host: '::1', port: 2 },
        ],
        'u',
        'p',
        'shop',
      ],
    ],
    [
      'postgresql+asyncpg://u:p@/shop?host=a:1&host=b:2',
      [
        [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        'u',
        'p',
        'shop',
      ],
    ],
    [
      'postgresql:///shop?host=a,b&port=1,2&user=u&password=p',
      [
        [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        'u',
        'p',
        'shop',
      ],
    ],
    ['postgresql://u@/shop?host=::1', [[{ host: '::1', port: 5432 }], 'u', '', 'shop']],
    [`postgresql://u@/shop?host=${SOCKET}`, [[{ host: SOCKET, port: 5432 }], 'u', '', 'shop']],
    [
      `postgresql://u@${encodeURIComponent(SOCKET)}:77/shop`,
      [[{ host: SOCKET, port: 77 }], 'u', '', 'shop'],
    ],
    [
      'postgresql://u:p@/shop?host=/cloudsql/project:region:name',
      [[{ host: '/cloudsql/project:region:name', port: 5432 }], 'u', 'p', 'shop'],
    ],
  ] as const) {
    test(`are read from ${url}`, () => {
      const { hosts, user, password, database } = read(url)

      assert.deepEqual([hosts, user, password, database], expected)
    })
  }
})

describe('encryption', () => {
  for (const [parameters, expected] of [
    ['', ['encrypted', 'plain']],
    ['sslmode=disable', ['plain']],
    ['sslmode=allow', ['plain', 'encrypted']],
    ['sslmode=prefer', ['encrypted', 'plain']],
    ['sslmode=require', ['encrypted']],
    ['ssl=require', ['encrypted']],
    ['sslmode=no-verify', ['encrypted']],
    ['sslmode=require&sslrootcert=FOLDER/root.crt', ['verified']],
    ['sslmode=verify-ca&sslrootcert=FOLDER/root.crt', ['verified']],
    ['sslmode=verify-full&sslrootcert=FOLDER/root.crt', ['verified with its name']],
    ['sslmode=verify-full', ['verified with its name']],
    ['sslrootcert=system', ['verified with its name']],
    ['sslmode=require&sslcert=FOLDER/root.crt&sslkey=FOLDER/own.key', ['encrypted']],
    ['sslmode=verify-full&sslnegotiation=direct', ['verified with its name']],
  ] as const) {
    test(`is ${expected.join(', then ')} with ?${parameters}`, () => {
      assert.deepEqual(encryptionOf(`postgresql://u:p@db/shop?${parameters}`), expected)
    })
  }

  test('is not tried over a socket', () => {
    assert.deepEqual(encryptionOf(`postgresql://u@/shop?host=${SOCKET},db&sslmode=require`), [
      'plain',
      'encrypted',
    ])
  })
})

describe('other parameters', () => {
  for (const [parameters, expected] of [
    ['target_session_attrs=read-write', { targetSessionAttrs: 'read-write' }],
    ['connect_timeout=3', { connectTimeoutMs: 3000 }],
    ['application_name=shop', { applicationName: 'shop' }],
    ['ApplicationName=shop', { applicationName: 'shop' }],
    ['statement_cache_size=0', { namedStatements: false }],
    ['prepared_statement_cache_size=0', { namedStatements: false }],
    ['prepared_statement_cache_size=100', { namedStatements: true }],
    ['pgbouncer=true', { namedStatements: false }],
    ['client_encoding=utf8&gssencmode=disable', { namedStatements: true }],
    ['channel_binding=require', { channelBinding: 'require' }],
    ['channel_binding=prefer', { channelBinding: 'prefer' }],
    ['', { channelBinding: 'disable', targetSessionAttrs: 'any', connectTimeoutMs: 5000 }],
  ] as const) {
    test(`are read from ?${parameters}`, () => {
      assert.partialDeepStrictEqual(read(`postgresql://u:p@db/shop?${parameters}`), expected)
    })
  }
})

describe('a URL is refused in words without its values', () => {
  for (const [url, words] of [
    ['sqlite:////srv/app.db?mode=canary&uri=true', /parameters \(mode, uri\): SQLite takes none/],
    ['sqlite+aiosqlite:///:memory:?cache=canary', /parameters \(cache\): SQLite takes none/],
    ['postgresql:///canary', /names no host/],
    ['postgresql://u:canary@db:port/shop', /malformed/],
    ['postgresql://u:canary@db:70000/shop', /malformed/],
    ['postgresql://u:canary@db:0/shop', /malformed/],
    ['postgresql://u:canary@,/shop', /malformed/],
    ['postgresql://u:canary@a:b:c/shop', /malformed/],
    ['postgresql://u:canary@a,b,c/shop?port=1,2', /one port/],
    ['postgresql://u:canary@a:1/shop?port=1', /port twice/],
    ['postgresql://u:canary@a/shop?host=b', /host twice/],
    ['postgresql://u:canary@a/shop?user=b', /user twice/],
    ['postgresql://u:canary@a/shop?password=b', /password twice/],
    ['postgresql://u:canary@a/shop?dbname=b', /dbname twice/],
    ['postgresql://u:can/ary@a/shop', /percent-encode|malformed/],
    ['postgresql://u:1?canary=2@a/shop', /percent-encode/],
    ['postgresql://u:1#canary@a/shop', /percent-encode/],
    ['postgresql://u:canary%zz@a/shop', /write %25 for %/],
    ['postgresql://u:canary%00@a/shop', /write %25 for %/],
    ['postgresql://u:p@a/shop?options=-ccanary', /parameter options.*alter role/],
    ['postgresql://u:p@a/shop?passfile=canary', /parameter passfile.*DATABASE_URL_FILE/],
    ['postgresql://u:p@a/shop?connection_limit=5', /connection_limit.*DATABASE_POOL_SIZE/],
    ['postgresql://u:p@a/shop?schema=canary', /parameter schema.*search_path/],
    ['postgresql://u:p@a/shop?keepalives=1', /parameter keepalives/],
    ['postgresql://u:p@a/shop?constructor=1', /parameter constructor/],
    ['postgresql://u:p@a/shop?target_session_attrs=standby', /target_session_attrs.*writes/],
    ['postgresql://u:p@a/shop?connect_timeout=0', /bad connect_timeout.*1 to 999/],
    ['postgresql://u:p@a/shop?application_name=', /bad application_name/],
    ['postgresql://u:p@a/shop?client_encoding=latin1', /bad client_encoding.*UTF8/],
    ['postgresql://u:p@a/shop?channel_binding=canary', /bad channel_binding/],
    ['postgresql://u:p@a/shop?gssencmode=require', /bad gssencmode/],
    ['postgresql://u:p@a/shop?sslmode=canary', /bad sslmode.*verify-full/],
    ['postgresql://u:p@a/shop?ssl=true', /bad sslmode/],
    ['postgresql://u:p@a/shop?sslmode=require&sslmode=disable', /sslmode twice/],
    ['postgresql://u:p@a/shop?sslmode=verify-ca', /verify-ca.*needs sslrootcert/],
    ['postgresql://u:p@a/shop?sslrootcert=FOLDER/root.crt', /sslrootcert.*needs sslmode/],
    ['postgresql://u:p@a/shop?sslmode=require&sslrootcert=system', /needs sslmode=verify-full/],
    ['postgresql://u:p@a/shop?sslmode=require&sslcert=FOLDER/root.crt', /both sslcert and sslkey/],
    ['postgresql://u:p@a/shop?sslmode=require&sslkey=FOLDER/own.key', /both sslcert and sslkey/],
    ['postgresql://u:p@a/shop?sslmode=prefer&sslnegotiation=direct', /sslnegotiation.*needs/],
    [
      'postgresql://u:p@a/shop?sslmode=verify-full&sslrootcert=FOLDER/canary',
      /sslrootcert.*ENOENT/,
    ],
    ['postgresql://u:p@a/shop?sslmode=verify-full&sslrootcert=FOLDER/noise.txt', /not a PEM/],
    [
      'postgresql://u:p@a/shop?sslmode=require&sslcert=FOLDER/root.crt&sslkey=FOLDER/other.key',
      /sslcert and sslkey, whose files/,
    ],
  ] as const) {
    test(url, () => {
      assert.throws(
        () => read(url),
        (error: Error) => {
          assert.match(error.message, words)
          assert.doesNotMatch(error.message, /canary/)
          return true
        },
      )
    })
  }
})
