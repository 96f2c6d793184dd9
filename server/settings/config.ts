import { availableParallelism } from 'node:os'
import { databaseProblem } from '../database/problems.ts'
import { createKeyRing, type KeyRing, type TokenKey, type TokenKeys } from '../keys/key-ring.ts'
import { passwordProblem } from '../passwords/policy.ts'
import type { SigningAlgorithm } from '../keys/signing-keys.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import {
  hasJwtKeyFile,
  loadOrCreateJwtKey,
  loadOrCreateSecretKey,
  secretKeySignedUntilMs,
} from './secret-key.ts'
import { loadSigningKeys, type SigningKeyFile } from '../keys/signing-key-file.ts'
import { type Environment, readSetting } from './environment.ts'
import { defaultHashConcurrency, type Setting, SETTINGS } from './settings.ts'
import { showSettings, type ShownSetting } from './shown.ts'

const KEY_FILE = 'JWT_PRIVATE_KEY_FILE'

type Values = { [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['default'] }

/** The configuration, frozen, without secrets. Durations are in milliseconds. */
export type Config = ReturnType<typeof toConfig> & {
  /** For admins. */
  readonly settings: readonly ShownSetting[]
}

/** Values that must never be printed, kept apart from `Config` so that a logged config reveals none. */
export interface Secrets {
  readonly databaseUrl: Values['DATABASE_URL']
  readonly mailUrl: Values['MAIL_URL']
  readonly keys: KeyRing
  /** Unused with an asymmetric ALGORITHM. */
  readonly tokenKeys: TokenKeys
  /** Absent with HS256. */
  readonly signingKeyFile: SigningKeyFile | undefined
  readonly adminPassword: string | undefined
  readonly smsUrl: Values['SMS_URL']
  readonly redisUrl: Values['REDIS_URL']
}

/** All invalid settings of a start, one line each; the lines name settings and contain no secrets. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
  }
}

/**
 * Reads every setting from the environment; secrets also from the file named by `<NAME>_FILE`. An empty
 * value counts as absent. Throws ConfigError with all mistakes at once, also those `found` before. Unless
 * `createsKeys` is false, creates the keys next to the SQLite file if there are none; otherwise it has no
 * side effect.
 */
export function readConfig(
  environment: Environment,
  { found = [], createsKeys = true }: { found?: readonly string[]; createsKeys?: boolean } = {},
): { config: Config; secrets: Secrets } {
  const problems = [...found]
  const texts = new Map<string, string>()
  const values = readValues(environment, problems, texts)
  const refused = new Set(problems.map(nameOf))
  // Suppresses follow-up errors, such as "missing" for a setting that is invalid.
  const crossed = crossCheck(values)
  const signingKeyFile = loadSigningKeyFile(values, crossed)
  problems.push(...crossed.filter((problem) => !refused.has(nameOf(problem))))
  if (problems.length > 0) throw new ConfigError(problems)

  const databaseUrl = values.DATABASE_URL
  const secrets = {
    databaseUrl,
    mailUrl: values.MAIL_URL,
    ...readKeys(values, { given: environment['SECRET_KEY'] || undefined, createsKeys }),
    signingKeyFile,
    adminPassword: values.ADMIN_PASSWORD?.normalize('NFC'),
    smsUrl: values.SMS_URL,
    redisUrl: values.REDIS_URL,
  }
  const config = toConfig(values, {
    threadpoolSize: Number(environment['UV_THREADPOOL_SIZE'] ?? Number.NaN),
    signingKeysExposed: signingKeyFile?.openToOthers ?? false,
  })
  const { processes: PROCESSES, hashConcurrency: HASH_CONCURRENCY } = config
  const { publicUrl: PUBLIC_URL, hsts: HSTS } = config
  const derived = { PROCESSES, HASH_CONCURRENCY, PUBLIC_URL, HSTS }
  const settings = showSettings({ values, texts, derived })
  return { config: Object.freeze({ ...config, settings }), secrets: Object.freeze(secrets) }
}

/** The path and the algorithm, for commands that create the file. Throws ConfigError if one is not set. */
export function signingKeySettings(environment: Environment): {
  algorithm: SigningAlgorithm
  path: string
} {
  const problems: string[] = []
  const values = readValues(environment, problems)
  const { ALGORITHM: algorithm, JWT_PRIVATE_KEY_FILE: path } = values
  if (algorithm === 'HS256' || path === undefined) {
    const refused = problems.filter((problem) => nameOf(problem) === 'ALGORITHM')
    const needed = `ALGORITHM must be EdDSA, ES256 or RS256, and ${KEY_FILE} must be the path of the key file`
    throw new ConfigError(refused.length > 0 ? refused : [needed])
  }
  return { algorithm, path }
}

/** Warnings for the operator that do not prevent the start. */
export function configWarnings(config: Config): string[] {
  const warnings: string[] = []
  const { memoryKib, passes } = config.argon2
  if (memoryKib < SETTINGS.ARGON2_MEMORY_KIB.default || passes < SETTINGS.ARGON2_PASSES.default) {
    warnings.push(
      'ARGON2_MEMORY_KIB or ARGON2_PASSES is below the default: use this only for tests',
    )
  }
  if (!config.rateLimit) warnings.push('RATE_LIMIT=off: use this only for load tests')
  if (config.mailUnencrypted) {
    warnings.push(
      'MAIL_URL has tls=off: codes are sent unencrypted; use this only for a local mail sink',
    )
  }
  if (config.smsUnencrypted) {
    warnings.push(
      'SMS_URL has tls=off: token and codes are sent unencrypted; use this only for tests',
    )
  }
  if (config.signingKeysExposed) {
    warnings.push(`${KEY_FILE} names a file that other users of this machine can read: chmod 600`)
  }
  return warnings
}

/** The same for keys, which are not part of the configuration. */
export function keyWarnings({
  keys,
  tokenKeys,
  signingKeyFile,
}: Pick<Secrets, 'keys' | 'tokenKeys'> & { readonly signingKeyFile: unknown }): string[] {
  if (signingKeyFile !== undefined || tokenKeys.current !== keys.current) return []
  return [
    'SECRET_KEY signs access tokens: a service that verifies them with it can compute mailed codes, links and refresh tokens; set JWT_SECRET_KEY',
  ]
}

/** Adds what was set to `texts`. */
function readValues(
  environment: Environment,
  problems: string[],
  texts = new Map<string, string>(),
): Values {
  const read = (name: string, setting: Setting<unknown>): unknown => {
    try {
      const text = readSetting(environment, name, setting)
      if (text === undefined) return setting.default
      texts.set(name, text)
      return setting.parse(text)
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : 'cannot be read'}`)
      return setting.default
    }
  }
  const entries = Object.entries(SETTINGS).map(([name, setting]) => [name, read(name, setting)])
  return Object.fromEntries(entries) as Values
}

/**
 * On SQLite, keys that are not set come from files next to the database. Until version 1, a line break at
 * the end of the variable was part of the key, `given`: what is derived from that remains valid.
 */
function readKeys(
  values: Values,
  { given, createsKeys }: { given: string | undefined; createsKeys: boolean },
): Pick<Secrets, 'keys' | 'tokenKeys'> {
  const { DATABASE_URL, SECRET_KEY, JWT_SECRET_KEY } = values
  const path = DATABASE_URL.kind === 'sqlite' ? DATABASE_URL.path : undefined
  // An existing file signs on while a rotation of the secret key sets SECRET_KEY for some days.
  const hasOwnJwtKey =
    values.ALGORITHM === 'HS256' &&
    JWT_SECRET_KEY === undefined &&
    (SECRET_KEY === undefined || hasJwtKeyFile(path))
  const jwtKey = hasOwnJwtKey
    ? ownKey('JWT_SECRET_KEY', () => loadOrCreateJwtKey(path, createsKeys))
    : JWT_SECRET_KEY
  const secret =
    SECRET_KEY ?? ownKey('SECRET_KEY', () => loadOrCreateSecretKey(path, { creates: createsKeys }))
  if (jwtKey === secret) throw new ConfigError([sameAs('JWT_SECRET_KEY', 'SECRET_KEY')])
  const keys = createKeyRing(secret, values.SECRET_KEY_PREVIOUS, given)
  const acceptedUntilMs =
    hasOwnJwtKey && SECRET_KEY === undefined ? secretKeySignedUntilMs(path) : undefined
  const replaced = acceptedUntilMs === undefined ? [] : [{ ...keys.current, acceptedUntilMs }]
  const { current, all } = jwtKey === undefined ? keys : createKeyRing(jwtKey)
  return { keys, tokenKeys: { current, all: [...all, ...previousTokenKeys(values), ...replaced] } }
}

function ownKey(name: string, load: () => string): string {
  try {
    return load()
  } catch (error) {
    // The key is stored next to the database, whose folder may be the problem.
    const problem = databaseProblem(error)
    throw new ConfigError([problem ?? `${name} is not set, and ${(error as Error).message}`])
  }
}

function previousTokenKeys({ JWT_SECRET_KEY_PREVIOUS }: Values): readonly TokenKey[] {
  return JWT_SECRET_KEY_PREVIOUS === undefined ? [] : createKeyRing(JWT_SECRET_KEY_PREVIOUS).all
}

/** Whoever holds this key must not hold another secret. */
function jwtKeyProblems(values: Values): string[] {
  const { ALGORITHM, JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS } = values
  const { SECRET_KEY, SECRET_KEY_PREVIOUS, ADMIN_PASSWORD } = values
  const set = Object.entries({ JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)
  if (ALGORITHM !== 'HS256') {
    return set.map((name) => `${name} is used with ALGORITHM=HS256 only; remove it`)
  }
  if (JWT_SECRET_KEY === undefined) return []
  const others = { SECRET_KEY, SECRET_KEY_PREVIOUS, ADMIN_PASSWORD, JWT_SECRET_KEY_PREVIOUS }
  return Object.entries(others)
    .filter(([, value]) => value === JWT_SECRET_KEY)
    .map(([name]) => sameAs('JWT_SECRET_KEY', name))
}

function sameAs(name: string, other: string): string {
  return `${name} is the same as ${other}; use a different value`
}

/** Loads the key file of an asymmetric ALGORITHM; appends its problems. */
function loadSigningKeyFile(values: Values, problems: string[]): SigningKeyFile | undefined {
  const { ALGORITHM: algorithm, JWT_PRIVATE_KEY_FILE: path } = values
  if (algorithm === 'HS256') {
    if (path !== undefined) {
      problems.push(
        `ALGORITHM must be EdDSA, ES256 or RS256 to use ${KEY_FILE}; otherwise remove ${KEY_FILE}`,
      )
    }
    return undefined
  }
  if (path === undefined) {
    problems.push(
      `${KEY_FILE} is required with this ALGORITHM; set a path and create the file with: npm run cli -- keys rotate`,
    )
    return undefined
  }
  try {
    const file = loadSigningKeys(path, algorithm)
    const { SECRET_KEY, SECRET_KEY_PREVIOUS, ADMIN_PASSWORD } = values
    const others = Object.entries({ SECRET_KEY, SECRET_KEY_PREVIOUS, ADMIN_PASSWORD })
    const same = others.find(([, secret]) => secret?.trim() === file.text.trim())
    if (same) problems.push(sameAs(same[0], `${KEY_FILE}’s file`))
    return file
  } catch (error) {
    problems.push(`${KEY_FILE} ${(error as Error).message}`)
    return undefined
  }
}

/** Each problem starts with the name of its setting. */
function nameOf(problem: string): string {
  return problem.split(' ', 1)[0] ?? ''
}

function crossCheck(values: Values): string[] {
  const problems: string[] = []
  if (values.DATABASE_URL.kind === 'postgres' && values.SECRET_KEY === undefined) {
    problems.push(
      'SECRET_KEY is required with PostgreSQL; generate one with: openssl rand -base64 48',
    )
  }
  if (values.DATABASE_URL.kind === 'sqlite' && Number(values.PROCESSES) > 1) {
    problems.push(
      'PROCESSES must be 1 or auto with SQLite, which has a single writer; use PostgreSQL for more',
    )
  }
  if (values.SECRET_KEY !== undefined && values.SECRET_KEY === values.SECRET_KEY_PREVIOUS) {
    problems.push('SECRET_KEY_PREVIOUS is the same as SECRET_KEY; remove it')
  }
  if (values.SECRET_KEY !== undefined && values.SECRET_KEY === values.ADMIN_PASSWORD) {
    problems.push(sameAs('ADMIN_PASSWORD', 'SECRET_KEY'))
  }
  problems.push(...jwtKeyProblems(values))
  if ((values.ADMIN_EMAIL === undefined) !== (values.ADMIN_PASSWORD === undefined)) {
    const missing = values.ADMIN_EMAIL === undefined ? 'ADMIN_EMAIL' : 'ADMIN_PASSWORD'
    problems.push(`${missing} is missing: set both ADMIN_EMAIL and ADMIN_PASSWORD, or neither`)
  }
  if (values.ADMIN_EMAIL !== undefined && values.ADMIN_PASSWORD !== undefined) {
    const problem = passwordProblem(values.ADMIN_PASSWORD, {
      role: 'admin',
      minLength: values.PASSWORD_MIN_LENGTH,
      email: canonicalEmail(values.ADMIN_EMAIL) ?? values.ADMIN_EMAIL,
      fullName: null,
    })
    if (problem !== undefined) problems.push(`ADMIN_PASSWORD is refused: ${problem.detail}`)
  }
  if (values.MAIL_URL.kind !== 'console' && values.MAIL_FROM === undefined) {
    problems.push('MAIL_FROM is missing: it is required unless MAIL_URL is console:')
  }
  if (values.REFRESH_TOKEN_EXPIRE_DAYS > values.SESSION_MAX_DAYS) {
    problems.push('SESSION_MAX_DAYS must not be less than REFRESH_TOKEN_EXPIRE_DAYS')
  }
  return problems
}

function processesOf({ PROCESSES, DATABASE_URL }: Values): number {
  if (PROCESSES !== 'auto') return PROCESSES
  return DATABASE_URL.kind === 'sqlite' ? 1 : availableParallelism()
}

function isUnencrypted(url: Values['MAIL_URL']): boolean {
  if (url.kind === 'sendgrid') return url.origin.startsWith('http:')
  return url.kind === 'smtp' && url.tls === 'off'
}

function toConfig(
  values: Values,
  found: { readonly threadpoolSize: number; readonly signingKeysExposed: boolean },
) {
  const { threadpoolSize, signingKeysExposed } = found
  const processes = processesOf(values)
  const publicUrl = values.PUBLIC_URL ?? `http://localhost:${values.PORT}`
  return {
    host: values.HOST,
    port: values.PORT,
    processes,
    shutdownDelayMs: values.SHUTDOWN_DELAY_SECONDS * SECOND_MS,
    keepAliveMs: values.KEEP_ALIVE_SECONDS * SECOND_MS,
    worker: values.WORKER,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    migrate: values.MIGRATE,
    publicUrl,
    /** Empty, or a path that a proxy strips, such as `/accounts`. */
    publicPath: new URL(publicUrl).pathname.replace(/\/$/, ''),
    shop: { name: values.SHOP_NAME, url: values.SHOP_URL },
    jwtAudience: values.JWT_AUDIENCE,
    signingKeysExposed,
    accessTokenLifetimeMs: values.ACCESS_TOKEN_EXPIRE_MINUTES * MINUTE_MS,
    sessionIdleLifetimeMs: values.REFRESH_TOKEN_EXPIRE_DAYS * DAY_MS,
    sessionLifetimeMs: values.SESSION_MAX_DAYS * DAY_MS,
    refreshGraceMs: values.REFRESH_GRACE_SECONDS * SECOND_MS,
    reauthenticationMs: values.REAUTHENTICATION_MINUTES * MINUTE_MS,
    codeLifetimeMs: values.VERIFICATION_CODE_EXPIRE_HOURS * HOUR_MS,
    unverifiedLifetimeMs: values.UNVERIFIED_USER_TTL_HOURS * HOUR_MS,
    cleanupSchedule: values.CLEANUP_SCHEDULE,
    auditKeptMs: values.AUDIT_KEEP_DAYS * DAY_MS,
    passwordMinLength: values.PASSWORD_MIN_LENGTH,
    pwnedPasswordsUrl: values.PWNED_PASSWORDS_URL,
    argon2: { memoryKib: values.ARGON2_MEMORY_KIB, passes: values.ARGON2_PASSES },
    hashConcurrency:
      values.HASH_CONCURRENCY ??
      defaultHashConcurrency(
        Number.isSafeInteger(threadpoolSize) ? threadpoolSize : undefined,
        processes,
      ),
    hashQueue: values.HASH_QUEUE,
    adminEmail: values.ADMIN_EMAIL,
    mailFrom: values.MAIL_FROM && {
      ...values.MAIL_FROM,
      name: values.MAIL_FROM.name || values.SHOP_NAME,
    },
    mailUnencrypted: isUnencrypted(values.MAIL_URL),
    smsUnencrypted: values.SMS_URL.kind === 'twilio' && values.SMS_URL.origin.startsWith('http:'),
    corsOrigins: values.CORS_ORIGINS,
    trustedProxies: values.TRUSTED_PROXIES,
    hsts: values.HSTS ?? publicUrl.startsWith('https://'),
    mailMaxPerHour: values.MAIL_MAX_PER_HOUR,
    rateLimit: values.RATE_LIMIT,
    rateLimitScale: values.RATE_LIMIT_SCALE,
    docs: values.DOCS,
    smsMaxPerHour: values.SMS_MAX_PER_HOUR,
    metricsHost: values.METRICS_HOST,
    metricsPort: values.METRICS_PORT,
    hideRegisteredEmails: values.HIDE_REGISTERED_EMAILS,
    signUpMessage:
      values.MAIL_URL.kind === 'console'
        ? 'User registered successfully. Check console for verification code.'
        : 'User registered successfully. Check your email for the verification code.',
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
  }
}
