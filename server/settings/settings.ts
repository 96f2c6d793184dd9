import { availableParallelism } from 'node:os'
import {
  cidrList,
  choice,
  cron,
  decimal,
  email,
  httpUrl,
  integer,
  jwtSecretKey,
  onOff,
  originList,
  previousKey,
  processCount,
  type Reader,
  redisUrl,
  rangeUrl,
  secretKey,
  shopName,
  text,
} from './types.ts'
import { mailAddress, mailUrl } from './mail-url.ts'
import { smsUrl } from './sms-url.ts'
import { databaseUrl } from '../database/url.ts'

/** One environment variable: its reader, its default and its documentation. */
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
  /** Its text is shown to admins, as those with `allowed` values are: it never contains a secret. */
  readonly shown?: true
}

const THREADPOOL_SIZE_DEFAULT = 4

/**
 * Hashes run on libuv's pool; two of its threads stay free for DNS, files and WebCrypto. Several processes
 * share the cores.
 */
export function defaultHashConcurrency(
  threadpoolSize = THREADPOOL_SIZE_DEFAULT,
  processes = 1,
): number {
  const cores = Math.ceil(availableParallelism() / processes)
  return Math.max(1, Math.min(cores, threadpoolSize - 2))
}

/** Every setting of the service. docs/configuration.md and .env.example are checked against it. */
export const SETTINGS = {
  HOST: define(text(), '127.0.0.1', 'The address to listen on; the image sets `0.0.0.0`.', {
    shown: true,
  }),
  PORT: define(integer(0, 65_535), 8000, 'The port to listen on; 0 selects a free port.'),
  PROCESSES: define(
    processCount(256),
    1,
    'The number of processes that serve the port, with PostgreSQL; `auto`: one for each available core, and one with SQLite, which has a single writer. See [more cores](operations.md#more-cores).',
    { unit: 'processes' },
  ),
  SHUTDOWN_DELAY_SECONDS: define(
    integer(0, 300),
    0,
    'The time between the signal to stop and the shutdown, in which `/ready` returns 503 and requests are still served, so that a load balancer can stop sending them: longer than it takes to notice, 5 for example. A second signal ends it.',
    { unit: 'seconds' },
  ),
  KEEP_ALIVE_SECONDS: define(
    integer(1, 3600),
    130,
    'The time after which an idle connection of a client is closed. It must be longer than a proxy keeps its idle connections to this service: the default suits nginx (60), AWS load balancers (60), Traefik (90) and Caddy (120).',
    { unit: 'seconds' },
  ),
  DATABASE_URL: define(
    databaseUrl,
    databaseUrl('sqlite:///data/app.db'),
    'The database: `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:` (a private temporary file), `postgresql://user:password@host/name` with the [parameters of libpq](runbook.md#postgresql). The schemes `sqlite+aiosqlite://`, `postgresql+asyncpg://` and `postgres://` are accepted as aliases.',
    { secret: true, defaultText: 'sqlite:///data/app.db' },
  ),
  DATABASE_POOL_SIZE: define(
    integer(1, 1000),
    10,
    'The number of PostgreSQL connections of each process. Callers share them: a user, or a network without a login, uses at most a quarter at a time. The sum over all processes must stay below `max_connections`.',
    { unit: 'connections' },
  ),
  MIGRATE: define(
    onOff,
    true,
    '`on`: pending migrations run at startup, under a lock. `off`: run them with `npm run migrate`; the service refuses to start with an older schema.',
  ),
  SECRET_KEY: define(
    secretKey,
    undefined,
    'The key from which codes, links, refresh tokens and cursors are derived; at least 32 characters, for example from `openssl rand -base64 48`.',
    { secret: true, defaultText: 'generated next to the SQLite file; required with PostgreSQL' },
  ),
  SECRET_KEY_PREVIOUS: define(
    previousKey,
    undefined,
    'A second accepted key, for key rotation. Step 1: set the new key here on every replica and worker. Step 2: swap the two keys everywhere. Step 3: remove the old key after `REFRESH_TOKEN_EXPIRE_DAYS`.',
    { secret: true },
  ),
  ALGORITHM: define(
    choice('HS256', 'EdDSA', 'ES256', 'RS256'),
    'HS256',
    'The signature algorithm of access tokens. `HS256` signs with `JWT_SECRET_KEY`; every service that verifies tokens can also issue them. `EdDSA` (Ed25519, recommended), `ES256` and `RS256` sign with `JWT_PRIVATE_KEY_FILE`; other services verify tokens with the public keys at `/.well-known/jwks.json`.',
  ),
  JWT_SECRET_KEY: define(
    jwtSecretKey,
    undefined,
    'The key that signs access tokens with `HS256`, for services that verify them; no other key is derived from it. At least 32 characters, different from `SECRET_KEY`.',
    {
      secret: true,
      defaultText:
        'generated next to the SQLite file; `SECRET_KEY`, with a warning, if that is set and no such file exists',
    },
  ),
  JWT_SECRET_KEY_PREVIOUS: define(
    previousKey,
    undefined,
    'A second accepted key of access tokens, for key rotation in the steps of `SECRET_KEY_PREVIOUS`. Remove the old key after an hour.',
    { secret: true },
  ),
  JWT_PRIVATE_KEY_FILE: define(
    text(),
    undefined,
    'The file with the private keys of an asymmetric `ALGORITHM`: created by `npm run cli -- keys rotate`, or one private key in PEM format. The running service reloads it.',
  ),
  JWT_AUDIENCE: define(text(), 'coffee-shop-api', 'The `aud` claim of access tokens.', {
    shown: true,
  }),
  ACCESS_TOKEN_EXPIRE_MINUTES: define(integer(1, 60), 30, 'The lifetime of an access token.', {
    unit: 'minutes',
  }),
  REFRESH_TOKEN_EXPIRE_DAYS: define(
    integer(1, 365),
    7,
    'The idle timeout of a session; each refresh restarts it.',
    { unit: 'days' },
  ),
  SESSION_MAX_DAYS: define(integer(1, 365), 30, 'The absolute lifetime of a session.', {
    unit: 'days',
  }),
  REFRESH_GRACE_SECONDS: define(
    integer(0, 300),
    30,
    'The grace period in which the previous refresh token returns the same successor, so that a lost response or two browser tabs do not end the session.',
    { unit: 'seconds' },
  ),
  REAUTHENTICATION_MINUTES: define(
    integer(0, 1440),
    10,
    'The time after a login or a confirmation of the password in which an admin can change roles, invite admins, repeat or revoke their invitations, disable, enable or log out other admins, delete users and run the clean-up without confirming the password again. `0` disables the confirmation.',
    { unit: 'minutes' },
  ),
  VERIFICATION_CODE_EXPIRE_HOURS: define(
    integer(1, 168),
    24,
    'The lifetime of an emailed verification code.',
    {
      unit: 'hours',
    },
  ),
  UNVERIFIED_USER_TTL_HOURS: define(
    integer(1, 8760),
    48,
    'The lifetime of an unverified account; the next clean-up deletes it. An invited one lives at least as long as its invitation, seven days.',
    { unit: 'hours' },
  ),
  CLEANUP_SCHEDULE: define(
    cron,
    '0 0 * * *',
    'The schedule for deleting unverified accounts: a cron expression in UTC with five fields, or six with seconds first. Each run happens once across all replicas; a missed run is made up for at startup.',
    { shown: true },
  ),
  AUDIT_KEEP_DAYS: define(integer(1, 3650), 365, 'The retention period of audit events.', {
    unit: 'days',
  }),
  PASSWORD_MIN_LENGTH: define(
    integer(8, 64),
    8,
    'The minimum length of passwords; an admin’s password needs at least 15.',
    { unit: 'code points' },
  ),
  PWNED_PASSWORDS_URL: define(
    rangeUrl,
    undefined,
    'The range API that is checked for leaked passwords whenever a password is set: `https://api.pwnedpasswords.com/range/` or a compatible service. It receives five hex digits of a hash and has 1 s to respond; without a response the password is accepted.',
    { defaultText: 'none: no check' },
  ),
  ARGON2_MEMORY_KIB: define(
    integer(8, 4_194_304),
    19_456,
    'The memory of one password hash (argon2id). After an increase, passwords are rehashed at the next login. Values below the default are for tests.',
    { unit: 'KiB' },
  ),
  ARGON2_PASSES: define(
    integer(1, 64),
    2,
    'The passes of one password hash (argon2id). After an increase, passwords are rehashed at the next login. Values below the default are for tests.',
  ),
  HASH_CONCURRENCY: define(
    integer(1, 1024),
    undefined,
    'The number of password hashes that each process computes concurrently.',
    {
      defaultText: 'min(parallelism / PROCESSES, UV_THREADPOOL_SIZE − 2), at least 1',
    },
  ),
  HASH_QUEUE: define(
    integer(0, 100_000),
    32,
    'The number of password hashes that can be queued; further requests get 503 with `Retry-After`. One network or account holds at most a quarter of the places, queued and running.',
  ),
  ADMIN_EMAIL: define(
    email,
    undefined,
    'The address of the first admin. With `ADMIN_PASSWORD`, a verified admin is created at startup if there is none yet.',
  ),
  ADMIN_PASSWORD: define(
    text(),
    undefined,
    'The password of the first admin, at least 15 code points.',
    {
      secret: true,
    },
  ),
  MAIL_URL: define(
    mailUrl,
    mailUrl('console:'),
    'The mail transport: `console:` prints mail, `smtp://user:password@host:587` (STARTTLS is required; `?tls=off` only for a local mail sink), `smtps://user:password@host:465`, `sendgrid://KEY@api.sendgrid.com`. Percent-encode special characters.',
    { secret: true, defaultText: 'console:' },
  ),
  MAIL_FROM: define(
    mailAddress,
    undefined,
    'The sender of mail: `shop@example.com` or `Coffee Shop <shop@example.com>`. Required unless `MAIL_URL` is `console:`.',
    { shown: true },
  ),
  MAIL_MAX_PER_HOUR: define(
    integer(1, 1_000_000),
    1000,
    'The maximum number of sign-up emails per hour across all processes; beyond it, they are delayed, and an error that names the networks with the most is logged each minute. Password resets and security notices are neither counted nor delayed.',
    { unit: 'emails' },
  ),
  SMS_URL: define(
    smsUrl,
    smsUrl('console:'),
    'The text message transport: `console:` prints messages, `twilio://SID:TOKEN@api.twilio.com?from=+15550100200` sends them with Twilio from that number, short code or name. `&tls=off` is for a local test server.',
    { secret: true, defaultText: 'console:' },
  ),
  WORKER: define(
    choice('inline', 'separate'),
    'inline',
    '`inline`: the server also runs background jobs: mail, text messages and clean-up. `separate`: run the jobs with `npm run work`, in any number of processes.',
  ),
  PUBLIC_URL: define(
    httpUrl,
    undefined,
    'The public base URL of this service, used for its links in mail and as the `iss` claim of access tokens. If it has a path, the proxy has to strip it.',
    { shown: true, defaultText: 'http://localhost:<PORT>' },
  ),
  SHOP_NAME: define(
    shopName,
    'Coffee Shop',
    'The name of the shop in mail, text messages, pages and the API documentation; at most 40 characters. With characters outside the GSM alphabet, such as Cyrillic ones, each text message costs as much as two. It is also the sender’s display name if `MAIL_FROM` has none.',
    { shown: true },
  ),
  SHOP_URL: define(
    httpUrl,
    undefined,
    'The website where customers log in; emails and pages link to it. Set it before you send email: without it, emails link to PUBLIC_URL, which has no login page.',
    { shown: true },
  ),
  CORS_ORIGINS: define(
    originList,
    [],
    'The origins of browser apps that may call the API, exact and comma-separated, also of web views and extensions, such as capacitor://localhost. Those on the same site as `PUBLIC_URL` may keep the refresh token in the [cookie](integrating.md#the-cookie). From the pages of other origins, browsers get `cross_site_request` under `/auth`; the log names each such origin.',
    {
      shown: true,
      defaultText: 'none',
    },
  ),
  TRUSTED_PROXIES: define(
    cidrList,
    [],
    'The proxies whose `X-Forwarded-For` header is trusted, as comma-separated CIDR ranges.',
    { shown: true, defaultText: 'none' },
  ),
  REDIS_URL: define(
    redisUrl,
    undefined,
    'The Redis server in which replicas share rate limit counters: `redis://host:6379`, `rediss://user:password@host:6380/0`. Without it, each replica counts on its own. While Redis is unavailable, each replica counts on its own, with half of each limit.',
    { secret: true, defaultText: 'none' },
  ),
  HSTS: define(onOff, undefined, 'Whether to send `Strict-Transport-Security`.', {
    defaultText: 'on when PUBLIC_URL is https',
  }),
  RATE_LIMIT: define(
    onOff,
    true,
    '`off` disables all limits on requests, logins, mail and text messages, for load tests. The limits on wrong codes, pending sign-ups and the hash queue always apply.',
  ),
  RATE_LIMIT_SCALE: define(
    decimal(0.1, 1000),
    1,
    'Multiplies every limit per network, and no other: more than 1 if many customers share an address, as behind the NAT of a carrier or of an office.',
  ),
  SMS_MAX_PER_HOUR: define(
    integer(1, 1_000_000),
    100,
    'The number of text messages per hour in total; further messages are not sent, and an error is logged.',
  ),
  METRICS_HOST: define(
    text(),
    '127.0.0.1',
    'The address of `METRICS_PORT`; in a container `0.0.0.0`, with the port open to Prometheus and the scheduler only.',
    { shown: true },
  ),
  METRICS_PORT: define(
    integer(0, 65_535),
    undefined,
    'The port for operators, also of `npm run work`: metrics in Prometheus format at `/metrics`, the health of the process at `/health`; 0 selects a free port. The processes of `PROCESSES` share it, and their metrics are added up; every other one on a machine needs its own.',
    { defaultText: 'none' },
  ),
  HIDE_REGISTERED_EMAILS: define(
    onOff,
    false,
    '`on`: sign-up returns 201 for a registered address, too, and emails its owner; a login with an unverified address fails like one with a wrong password.',
  ),
  DOCS: define(
    onOff,
    true,
    '`off`: `/docs` and `/openapi.json` do not exist. `npm run cli -- openapi` prints the document in any case.',
  ),
  LOG_LEVEL: define(
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'The minimum severity of log lines.',
  ),
  LOG_FORMAT: define(choice('pretty', 'json'), undefined, 'The format of log lines.', {
    defaultText: '`pretty` on a terminal, else `json`',
  }),
}

function define<T>(
  parse: Reader<T>,
  fallback: T,
  description: string,
  options?: Pick<Setting<T>, 'unit' | 'secret' | 'shown' | 'defaultText'>,
): Setting<T>
function define<T>(
  parse: Reader<T>,
  fallback: undefined,
  description: string,
  options?: Pick<Setting<T>, 'unit' | 'secret' | 'shown' | 'defaultText'>,
): Setting<T | undefined>
function define<T>(
  parse: Reader<T>,
  fallback: T | undefined,
  description: string,
  options: Pick<Setting<T>, 'unit' | 'secret' | 'shown' | 'defaultText'> = {},
): Setting<T | undefined> {
  return { parse, default: fallback, description, ...options }
}
