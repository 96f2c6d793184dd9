import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { userInfo } from 'node:os'
import { type ConnectionOptions, createSecureContext, getCACertificates } from 'node:tls'
import { SECOND_MS } from '../lib/units.ts'

export interface PostgresHost {
  /** A name, an address, or the absolute path of a folder with a Unix socket. */
  readonly host: string
  readonly port: number
}

/** False: unencrypted. */
export type PostgresTls = false | ConnectionOptions

/** A PostgreSQL URL, with defaults; nothing comes from variables such as PGHOST or files such as ~/.pgpass. */
export interface PostgresUrl {
  /** In the order in which they are tried. */
  readonly hosts: readonly PostgresHost[]
  readonly user: string
  readonly password: string
  readonly database: string
  /** In the order in which they are tried: two for `prefer` and `allow`. Sockets are never encrypted. */
  readonly ssl: readonly PostgresTls[]
  readonly sslnegotiation: 'postgres' | 'direct'
  readonly channelBinding: 'disable' | 'prefer' | 'require'
  readonly targetSessionAttrs: 'any' | 'read-write' | 'primary'
  readonly connectTimeoutMs: number
  readonly applicationName: string
  /** False: no statement is named, as `statement_cache_size=0` and `pgbouncer=true` ask. */
  readonly namedStatements: boolean
}

/** One way to a server, as pg takes it. */
export interface PostgresRoute extends PostgresHost {
  readonly ssl: PostgresTls
  readonly sslnegotiation: 'postgres' | 'direct'
}

type Parameters = Map<string, string>

const PORT = 5432
const CONNECT_TIMEOUT_MS = 5 * SECOND_MS
const APPLICATION_NAME = 'coffee-shop-api'
const SHAPE = 'must be sqlite:///path or postgresql://user:password@host/name'
const HOST = /^(?:\[([\da-f:.]+)\]|([^\s:[\]]*))(?::(\d*))?$/i

/** SQLAlchemy and JDBC have names of their own for these. */
const ALIASES: Readonly<Record<string, string>> = {
  prepared_statement_cache_size: 'statement_cache_size',
  ApplicationName: 'application_name',
}

/** What each parameter may be; absent here is refused. https://www.postgresql.org/docs/18/libpq-connect.html */
const PARAMETERS: Readonly<Record<string, RegExp>> = {
  host: /./,
  port: /^[\d,]+$/,
  user: /./,
  password: /^/,
  dbname: /./,
  sslmode: /^(?:disable|allow|prefer|require|no-verify|verify-ca|verify-full)$/,
  sslrootcert: /./,
  sslcert: /./,
  sslkey: /./,
  sslnegotiation: /^(?:postgres|direct)$/,
  target_session_attrs: /^(?:any|read-write|primary)$/,
  connect_timeout: /^[1-9]\d{0,2}$/,
  application_name: /^[ -~]{1,63}$/,
  statement_cache_size: /^\d+$/,
  pgbouncer: /^(?:true|false)$/,
  // The only value is what the service does anyway.
  client_encoding: /^utf-?8$/i,
  channel_binding: /^(?:disable|prefer|require)$/,
  gssencmode: /^(?:disable|prefer)$/,
  load_balance_hosts: /^disable$/,
  uselibpqcompat: /^true$/,
}

const EXPECTED: Readonly<Record<string, string>> = {
  sslmode: 'disable, allow, prefer, require, verify-ca or verify-full',
  target_session_attrs: 'any, read-write or primary: the service writes',
  connect_timeout: 'seconds from 1 to 999',
  application_name: '1 to 63 ASCII characters',
  client_encoding: 'UTF8',
  channel_binding: 'disable, prefer or require',
  gssencmode: 'disable or prefer: GSSAPI is not supported',
  load_balance_hosts: 'disable: hosts are tried in their order',
}

/** Why a parameter is refused, where "unknown" would not help. */
const REFUSED: Readonly<Record<string, string>> = {
  options: 'poolers refuse it; use alter role … set …',
  passfile: 'write the password into the URL, and the URL into the file of DATABASE_URL_FILE',
  service: 'service files are not read',
  connection_limit: 'set DATABASE_POOL_SIZE',
  schema: 'use alter role … set search_path = …',
}

/**
 * Reads `postgresql://…` as libpq does. Throws an Error that names the parameter and never contains
 * a value, for everything that is unknown, malformed, set twice or set by half.
 */
export function readPostgresUrl(url: string): PostgresUrl {
  const parts = /^postgresql:\/\/([^/?#]*)(?:\/([^/?#@]*))?(?:\?([^#@]*))?$/.exec(url)
  if (parts === null)
    throw new Error(`${SHAPE}; percent-encode # / ? and @ in the password (%23 %2F %3F %40)`)
  const [, authority = '', path = '', query = ''] = parts
  const given = readParameters(query)
  const at = authority.lastIndexOf('@')
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(authority.slice(0, Math.max(at, 0)))!
  const take = (name: string, inUrl: string | undefined) => {
    const parameter = given.get(name)
    if (inUrl && parameter !== undefined) throw new Error(`has ${name} twice; keep one`)
    return parameter ?? decode(inUrl ?? '')
  }
  const own = take('user', user) || ownName()
  return {
    hosts: readHosts(authority.slice(at + 1), given),
    user: own,
    password: take('password', password),
    database: take('dbname', path) || own,
    ...readTls(given),
    channelBinding: (given.get('channel_binding') ?? 'disable') as 'disable',
    targetSessionAttrs: (given.get('target_session_attrs') ?? 'any') as 'any',
    connectTimeoutMs: Number(given.get('connect_timeout')) * SECOND_MS || CONNECT_TIMEOUT_MS,
    applicationName: given.get('application_name') ?? APPLICATION_NAME,
    namedStatements:
      given.get('pgbouncer') !== 'true' && Number(given.get('statement_cache_size') ?? 1) > 0,
  }
}

/** Each host with each kind of encryption, in the order in which they are tried. */
export function routesOf({ hosts, ssl, sslnegotiation }: PostgresUrl): PostgresRoute[] {
  return hosts.flatMap((host) =>
    host.host.startsWith('/')
      ? { ...host, ssl: false as const, sslnegotiation: 'postgres' as const }
      : ssl.map((tls) => ({ ...host, ssl: tls, sslnegotiation })),
  )
}

function readParameters(query: string): Parameters {
  const given: Parameters = new Map()
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [, written = '', text] = /^([^=]*)(?:=(.*))?$/s.exec(pair)!
    const spelled = decode(written)
    const name = ALIASES[spelled] ?? spelled
    const allowed = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined
    if (allowed === undefined) {
      const shown = /^\w{1,40}$/.test(spelled) ? ` ${spelled}` : ''
      const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : 'remove it'
      throw new Error(`has the parameter${shown}, which is not supported: ${why}`)
    }
    const value = decode(text ?? '')
    if (!allowed.test(value))
      throw new Error(`has a bad ${name}; it must be ${EXPECTED[name] ?? 'its usual value'}`)
    // SQLAlchemy repeats `host` where libpq writes a list.
    if (given.has(name) && name !== 'host') throw new Error(`has ${name} twice; keep one`)
    given.set(name, given.has(name) ? `${given.get(name)},${value}` : value)
  }
  return given
}

function readHosts(authority: string, given: Parameters): PostgresHost[] {
  const parameter = given.get('host')
  if (authority !== '' && parameter !== undefined) throw new Error('has host twice; keep one')
  const list = parameter ?? authority
  if (list === '') throw new Error('names no host; write localhost, or ?host=/var/run/postgresql')
  const ports = given.get('port')?.split(',') ?? []
  const hosts = list.split(',')
  if (ports.length > 1 && ports.length !== hosts.length)
    throw new Error('must have one port for all hosts, or one for each')
  return hosts.map((text, index) => {
    // In a parameter, the path of a socket is not encoded, and an IPv6 address has no brackets.
    const isWhole = parameter !== undefined && (text.startsWith('/') || isIPv6(text))
    const [, address, name = '', inList] = isWhole ? ['', text] : (HOST.exec(text) ?? [])
    const host = address ?? (parameter === undefined ? decode(name) : name)
    const inParameter = ports[index] ?? ports[0]
    if (inList && inParameter) throw new Error('has port twice; keep one')
    const port = Number(inList || inParameter || PORT)
    if (host === '' || host.startsWith('@') || port < 1 || port > 65_535)
      throw new Error(`${SHAPE}; one of its hosts or ports is malformed`)
    return { host, port }
  })
}

/** Modes as libpq defines them: only `verify-full` proves that the server is the one that was meant. */
function readTls(given: Parameters): Pick<PostgresUrl, 'ssl' | 'sslnegotiation'> {
  const root = given.get('sslrootcert')
  const mode = given.get('sslmode') ?? (root === 'system' ? 'verify-full' : 'prefer')
  const optional = ['disable', 'allow', 'prefer'].includes(mode)
  for (const name of ['sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation']) {
    const isDefault = name === 'sslnegotiation' && given.get(name) !== 'direct'
    if (optional && given.get(name) !== undefined && !isDefault)
      throw new Error(`has ${name}, which needs sslmode=require, verify-ca or verify-full`)
  }
  if ((given.get('sslcert') === undefined) !== (given.get('sslkey') === undefined))
    throw new Error('must have both sslcert and sslkey, or neither')
  if (root === 'system' && mode !== 'verify-full')
    throw new Error('has sslrootcert=system, which needs sslmode=verify-full')
  if (mode === 'verify-ca' && root === undefined)
    throw new Error('has sslmode=verify-ca, which needs sslrootcert; or use verify-full')
  const sslnegotiation = given.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres'
  if (mode === 'disable') return { ssl: [false], sslnegotiation }
  const encrypted = {
    secureContext: secureContextOf(given),
    // As libpq does: a root certificate makes `require` mean `verify-ca`.
    rejectUnauthorized: mode === 'verify-full' || root !== undefined,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
  if (mode === 'prefer') return { ssl: [encrypted, false], sslnegotiation }
  return { ssl: mode === 'allow' ? [false, encrypted] : [encrypted], sslnegotiation }
}

function secureContextOf(given: Parameters) {
  const read = (name: string) => {
    const path = given.get(name)
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`has ${name}, whose file cannot be read (${code})`, { cause: error })
    }
  }
  const system = given.get('sslrootcert') === 'system'
  const ca = system ? getCACertificates('system') : read('sslrootcert')
  try {
    // Node ignores what is not a certificate.
    if (typeof ca === 'string') void new X509Certificate(ca)
  } catch {
    throw new Error('has sslrootcert, whose file is not a PEM certificate')
  }
  const own = { cert: read('sslcert'), key: read('sslkey') }
  try {
    return createSecureContext({ ...(ca && { ca }), ...(own.cert && own.key && own) })
  } catch {
    throw new Error('has sslcert and sslkey, whose files are no PEM certificate and its key')
  }
}

/** libpq's default. */
function ownName(): string {
  try {
    return userInfo().username
  } catch {
    throw new Error('names no user')
  }
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('\0')) return decoded
  } catch {}
  throw new Error('has a % that begins no valid percent-encoding; write %25 for %')
}
