import { type Config, configWarnings, keyWarnings, type Secrets } from './settings/config.ts'
import { readDotEnv } from './settings/environment.ts'
import { type Context, type ContextParts, createContext } from './context.ts'
import type { Backend } from './database/connect.ts'
import { checkSchema, migrate } from './database/migrate.ts'
import { openDatabase } from './database/open.ts'
import { SchemaError } from './database/problems.ts'
import { findSequencesBehind, mendSequence } from './database/sequences.ts'
import { hasTrigrams, NO_TRIGRAMS } from './accounts/search-indexes.ts'
import { differingKey, ownKeysOf, registerKey } from './keys/keys-in-use.ts'
import { MINUTE_MS } from './lib/units.ts'
import type { Logger, Output } from './lib/log.ts'
import type { Senders } from './worker.ts'

// Every command loads this file; dynamic imports avoid loading Redis, metrics and mail.

export interface OpenOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly log: Logger
}

export interface Opened {
  readonly ctx: Context
  readonly file?: Backend['file']
  close(): Promise<void>
}

interface ProcessParts {
  readonly wakeMail: () => void
  /** False for a worker, which uses no access tokens. */
  readonly serves: boolean
  readonly localCounts?: ContextParts['localCounts']
}

/**
 * For servers and workers: logs warnings about settings, opens Redis and metrics if configured, and
 * compares its keys with those of the other processes.
 */
export async function openProcess(
  options: OpenOptions,
  { wakeMail, serves, localCounts }: ProcessParts,
): Promise<Opened> {
  const { config, secrets, log } = options
  const warnings = [...configWarnings(config), ...keyWarnings(secrets), ...readDotEnv().warnings]
  for (const warning of warnings) log.warn(warning)
  const redis = await openCounts(options)
  const metrics = config.metricsPort === undefined ? undefined : await openMetrics()
  try {
    const { ctx, close } = await openContext(options, { redis, metrics, wakeMail, localCounts })
    if (serves && !(await hasTrigrams(ctx.db))) log.warn(NO_TRIGRAMS)
    const stopWatching = await watchKeys(ctx, serves)
    return {
      ctx,
      async close() {
        redis?.close()
        await stopWatching()
        await close()
      },
    }
  } catch (error) {
    redis?.close()
    throw error
  }
}

/** For commands: migrates the configured database and opens a context on it. */
export async function openContext(
  { config, secrets, log }: OpenOptions,
  parts: Pick<ContextParts, 'redis' | 'metrics' | 'wakeMail' | 'localCounts'> = {},
): Promise<Opened> {
  const backend = await openDatabase(secrets.databaseUrl, {
    poolMax: config.databasePoolSize,
    onIdleError: (error) => log.warn({ err: error }, 'idle database connection lost'),
    onWarning: (text) => log.warn(text),
  })
  try {
    if (backend.file !== undefined) {
      const { path: file, created } = backend.file
      log.info({ file }, created ? 'SQLite file created' : 'SQLite file opened')
    }
    await prepareSchema({ config, secrets, log }, backend)
    const ctx = await createContext({ config, secrets, backend, log, ...parts })
    return { ctx, file: backend.file, close: () => backend.close() }
  } catch (error) {
    await backend.close()
    throw error
  }
}

/** Compares the keys now and every minute, and logs the setting that differs from the other processes’. */
async function watchKeys(ctx: Context, serves: boolean): Promise<() => Promise<void>> {
  let checking = checkKeys(ctx, serves)
  await checking
  const timer = setInterval(() => void (checking = checkKeys(ctx, serves)), MINUTE_MS)
  return () => {
    clearInterval(timer)
    return checking
  }
}

/** Never throws: a database that fails here is reported by everything that needs it. */
export async function checkKeys(ctx: Context, serves: boolean): Promise<void> {
  try {
    for (const own of ownKeysOf(ctx, { serves })) {
      const inUse = await ctx.transaction((tx) => registerKey(tx, own, ctx.now()))
      if (inUse === undefined) continue
      const details = { purpose: own.purpose, key_id: own.current, key_id_in_use: inUse }
      ctx.log.error(details, differingKey(own.setting))
    }
  } catch (error) {
    ctx.log.warn({ err: error }, 'the keys could not be compared with those of other processes')
  }
}

export async function openSenders(options: {
  readonly config: Config
  readonly secrets: Secrets
  readonly output: Output
}): Promise<Senders> {
  const { createMailer } = await import('./outbox/transports/mailer.ts')
  const { createSmsSender } = await import('./outbox/transports/sms-sender.ts')
  return { mail: await createMailer(options), sms: createSmsSender(options) }
}

async function openCounts({ secrets, log }: OpenOptions) {
  if (secrets.redisUrl === undefined) return undefined
  const { openRedis } = await import('./limits/redis.ts')
  return openRedis(secrets.redisUrl, log)
}

async function openMetrics() {
  const { createMetrics } = await import('./lib/metrics.ts')
  return createMetrics()
}

async function prepareSchema(
  { config, secrets, log }: OpenOptions,
  backend: Backend,
): Promise<void> {
  if (config.migrate) {
    const applied = await migrate(secrets.databaseUrl, backend)
    if (applied.length > 0) log.info({ applied }, 'database migrated')
  }
  const { pending, newer } = await checkSchema(backend)
  if (pending.length > 0) {
    throw new SchemaError(
      `the database lacks migrations (${pending.join(', ')}): run npm run migrate, or set MIGRATE=on`,
    )
  }
  if (newer.length > 0) log.warn({ newer }, 'a newer version has migrated the database')
  await checkSequences({ config, log }, backend)
}

/** Mended where this process may change the database; else the log has the SQL. */
async function checkSequences(
  { config, log }: Pick<OpenOptions, 'config' | 'log'>,
  backend: Backend,
): Promise<void> {
  const behind = await findSequencesBehind(backend)
  for (const sequence of behind) {
    const { table, remedy } = sequence
    if (config.migrate) await mendSequence(backend, sequence)
    if (config.migrate)
      log.warn({ table }, 'ids continue after the highest: their sequence was behind')
    else log.error({ table }, `new rows would get ids that were used: ${remedy}`)
  }
}
