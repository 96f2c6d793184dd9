import { availableParallelism } from 'node:os'
import {
  cidrList,
  choice,
  cron,
  email,
  httpUrl,
  integer,
  onOff,
  originList,
  type Reader,
  redisUrl,
  rangeUrl,
  secretKey,
  text,
} from './types.ts'
import { mailAddress, mailUrl } from './mail-url.ts'
import { smsUrl } from './sms-url.ts'
import { databaseUrl } from '../database/url.ts'

/** One environment variable: how its text is read, what it is without, and what people are told. */
export interface Setting<T> {
  /** Throws an Error whose message says what is expected, without repeating the value. */
  readonly parse: Reader<T>
  readonly default: T
  readonly description: string
  /** Shown in the documentation where the default is not a plain value. */
  readonly defaultText?: string
  readonly unit?: string
  /** Never printed, and also readable from the file named by `<NAME>_FILE`. */
  readonly secret?: true
}

const THREADPOOL_SIZE_DEFAULT = 4

/** Hashes run on libuv's pool; two of its threads stay free for DNS, files and WebCrypto. */
export function defaultHashConcurrency(threadpoolSize = THREADPOOL_SIZE_DEFAULT): number {
  return Math.max(1, Math.min(availableParallelism(), threadpoolSize - 2))
}

/** Every setting of the service. docs/configuration.md and .env.example are checked against it. */
export const SETTINGS = {
  HOST: define(text(), '127.0.0.1', 'Address to listen on; the image sets `0.0.0.0`.'),
  PORT: define(integer(0, 65_535), 8000, 'Port to listen on; 0 picks a free one.'),
  DATABASE_URL: define(
    databaseUrl,
    databaseUrl('sqlite:///data/app.db'),
    'Where the data lives: `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:` (a private temporary file), `postgresql://user:password@host/name`. The forms `sqlite+aiosqlite://`, `postgresql+asyncpg://` and `postgres://` mean the same.',
    { secret: true, defaultText: 'sqlite:///data/app.db' },
  ),
  MIGRATE: define(
    onOff,
    true,
    '`on`: pending migrations run at start, under a lock. `off`: `npm run migrate` runs them, and an older schema is refused.',
  ),
  SECRET_KEY: define(
    secretKey,
    undefined,
    'Signs access tokens and derives every other key; 32 characters or more, for example from `openssl rand -base64 48`.',
    { secret: true, defaultText: 'made once beside the SQLite file; required with PostgreSQL' },
  ),
  SECRET_KEY_PREVIOUS: define(
    secretKey,
    undefined,
    'Also accepted while a key is rotated. 1: every replica gets the new key here. 2: swap the two. 3: remove it after `REFRESH_TOKEN_EXPIRE_DAYS`.',
    { secret: true },
  ),
  ALGORITHM: define(
    choice('HS256', 'EdDSA', 'ES256', 'RS256'),
    'HS256',
    'Signature of access tokens. `HS256`: by `SECRET_KEY`, and whoever checks them could make them. `EdDSA` (Ed25519, the best choice), `ES256`, `RS256`: by `JWT_PRIVATE_KEY_FILE`; other services check them with the public keys at `/.well-known/jwks.json`.',
  ),
  JWT_PRIVATE_KEY_FILE: define(
    text(),
    undefined,
    'The private keys of an asymmetric `ALGORITHM`: a file that `npm run cli -- keys rotate` makes, or one private key in PEM. It is read again while the service runs.',
  ),
  JWT_AUDIENCE: define(text(), 'coffee-shop-api', 'The `aud` of access tokens.'),
  ACCESS_TOKEN_EXPIRE_MINUTES: define(integer(1, 60), 30, 'Lifetime of an access token.', {
    unit: 'minutes',
  }),
  REFRESH_TOKEN_EXPIRE_DAYS: define(
    integer(1, 365),
    7,
    'A session unused for this long ends; each refresh starts it anew.',
    { unit: 'days' },
  ),
  SESSION_MAX_DAYS: define(integer(1, 365), 30, 'A session ends after this long, used or not.', {
    unit: 'days',
  }),
  REFRESH_GRACE_SECONDS: define(
    integer(0, 300),
    30,
    'For this long the refresh token before the newest still gets the same successor, so that a lost answer or two tabs sign nobody out.',
    { unit: 'seconds' },
  ),
  VERIFICATION_CODE_EXPIRE_HOURS: define(integer(1, 168), 24, 'How long a mailed code works.', {
    unit: 'hours',
  }),
  UNVERIFIED_USER_TTL_HOURS: define(
    integer(1, 8760),
    48,
    'An account never verified counts as gone after this long, and the next clean-up deletes it.',
    { unit: 'hours' },
  ),
  CLEANUP_SCHEDULE: define(
    cron,
    '0 0 * * *',
    'When accounts that were never verified are deleted: cron in UTC, five fields, or six with seconds first. Once over all replicas; a time that was missed is caught up at start.',
  ),
  AUDIT_KEEP_DAYS: define(integer(1, 3650), 365, 'How long audit events are kept.', {
    unit: 'days',
  }),
  PASSWORD_MIN_LENGTH: define(
    integer(8, 64),
    8,
    'Shortest password; an admin’s has 15 or more wherever it is set.',
    { unit: 'code points' },
  ),
  PWNED_PASSWORDS_URL: define(
    rangeUrl,
    undefined,
    'Range API of leaked passwords, asked wherever one is set: `https://api.pwnedpasswords.com/range/` or another of that form. It gets five hex digits of a hash, and 1 s to answer; without an answer the password is accepted.',
    { defaultText: 'none: nobody is asked' },
  ),
  ARGON2_MEMORY_KIB: define(
    integer(8, 4_194_304),
    19_456,
    'Memory of one password hash (argon2id). Raising it rehashes at the next login; lower than the default is for tests.',
    { unit: 'KiB' },
  ),
  ARGON2_PASSES: define(
    integer(1, 64),
    2,
    'Passes of one password hash (argon2id). Raising it rehashes at the next login; lower than the default is for tests.',
  ),
  HASH_CONCURRENCY: define(integer(1, 1024), undefined, 'Password hashes computed at once.', {
    defaultText: 'min(parallelism, UV_THREADPOOL_SIZE − 2), at least 1',
  }),
  HASH_QUEUE: define(
    integer(0, 100_000),
    32,
    'Password hashes waiting their turn; one more is answered 503 with `Retry-After`.',
  ),
  ADMIN_EMAIL: define(
    email,
    undefined,
    'With `ADMIN_PASSWORD`: at start, if there is no admin yet, a verified one is made with this address.',
  ),
  ADMIN_PASSWORD: define(text(), undefined, 'The first admin’s password, 15 code points or more.', {
    secret: true,
  }),
  MAIL_URL: define(
    mailUrl,
    mailUrl('console:'),
    'How mail is sent: `console:` prints it. `smtp://user:password@host:587` (STARTTLS is required; `?tls=off` only for a sink on the same machine), `smtps://user:password@host:465`, `sendgrid://KEY@api.sendgrid.com`. What is special in a URL is percent-encoded.',
    { secret: true, defaultText: 'console:' },
  ),
  MAIL_FROM: define(
    mailAddress,
    undefined,
    'Sender of mails: `shop@example.com` or `Coffee Shop <shop@example.com>`. Required unless `MAIL_URL` is `console:`.',
  ),
  MAIL_MAX_PER_HOUR: define(
    integer(1, 1_000_000),
    1000,
    'Once so many mails were sent within an hour, by all processes together, mails that a sign-up causes wait, and an error is logged each minute; resets and security notices pass.',
    { unit: 'mails' },
  ),
  SMS_URL: define(
    smsUrl,
    smsUrl('console:'),
    'How text messages are sent: `console:` prints them, `twilio://SID:TOKEN@api.twilio.com?from=+15550100200` sends them by Twilio from that number, short code or name. `&tls=off` is for a test server on this machine.',
    { secret: true, defaultText: 'console:' },
  ),
  WORKER: define(
    choice('inline', 'separate'),
    'inline',
    '`inline`: the serving process also sends mail and text messages and runs what recurs. `separate`: it does neither; `npm run work` does, in as many processes as you like.',
  ),
  PUBLIC_URL: define(
    httpUrl,
    undefined,
    'Where people reach this service: the only source of links in mails, and the `iss` of access tokens.',
    { defaultText: 'http://localhost:<PORT>' },
  ),
  CORS_ORIGINS: define(
    originList,
    [],
    'Origins of browser apps that may call, comma-separated, exact.',
    {
      defaultText: 'none',
    },
  ),
  TRUSTED_PROXIES: define(
    cidrList,
    [],
    'Proxies whose `X-Forwarded-For` is believed: comma-separated CIDR ranges.',
    { defaultText: 'none' },
  ),
  REDIS_URL: define(
    redisUrl,
    undefined,
    'Redis in which replicas share the counts of their limits: `redis://host:6379`, `rediss://user:password@host:6380/0`. Without it each process counts for itself. While it cannot be used, each counts for itself, at half.',
    { secret: true, defaultText: 'none' },
  ),
  HSTS: define(onOff, undefined, 'Send `Strict-Transport-Security`.', {
    defaultText: 'on when PUBLIC_URL is https',
  }),
  RATE_LIMIT: define(
    onOff,
    true,
    '`off` lifts every limit on requests, logins, mails and text messages, for load tests. The budget of wrong codes, the five waiting sign-ups and the hash queue always hold.',
  ),
  SMS_MAX_PER_HOUR: define(
    integer(1, 1_000_000),
    100,
    'Text messages in all; beyond it none is sent, and an error is logged.',
  ),
  METRICS_PORT: define(
    integer(0, 65_535),
    undefined,
    'Port of the metrics in Prometheus’ format, at `/metrics` on the loopback address; 0 picks a free one.',
    { defaultText: 'no metrics' },
  ),
  HIDE_REGISTERED_EMAILS: define(
    onOff,
    false,
    'Sign-up answers 201 for a registered address too and mails its owner instead; a login on an unverified address is answered like a wrong password.',
  ),
  LOG_LEVEL: define(
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'Least severe log line that is written.',
  ),
  LOG_FORMAT: define(choice('pretty', 'json'), undefined, 'How log lines look.', {
    defaultText: '`pretty` on a terminal, else `json`',
  }),
}

function define<T>(
  parse: Reader<T>,
  fallback: T,
  description: string,
  options?: Pick<Setting<T>, 'unit' | 'secret' | 'defaultText'>,
): Setting<T>
function define<T>(
  parse: Reader<T>,
  fallback: undefined,
  description: string,
  options?: Pick<Setting<T>, 'unit' | 'secret' | 'defaultText'>,
): Setting<T | undefined>
function define<T>(
  parse: Reader<T>,
  fallback: T | undefined,
  description: string,
  options: Pick<Setting<T>, 'unit' | 'secret' | 'defaultText'> = {},
): Setting<T | undefined> {
  return { parse, default: fallback, description, ...options }
}
