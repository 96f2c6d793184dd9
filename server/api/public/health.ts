import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { withBudget } from '../../database/budget.ts'
import { isMailOverdue } from '../../outbox/backlog.ts'
import { CLEAN_UP, findLastRun } from '../../schedule/jobs.ts'
import { MINUTE_MS } from '../../lib/units.ts'
import { findUnacceptedKeys, ownKeysOf } from '../../keys/keys-in-use.ts'
import { compareSchema } from '../../database/migrate.ts'
import { SchemaError } from '../../database/problems.ts'
import type { App } from '../../http/fastify.ts'

/** With more skew, replicas disagree on what has expired. */
const SKEW_MAX_MS = 5000
/** Longer than any backoff of a transport. */
const MAIL_DELAYED_AFTER_MS = MINUTE_MS

const REDIS = { memory: 'unused', redis: 'ok', redis_unavailable: 'unavailable' } as const
const UNKNOWN_ROWS = { mail: 'unknown', clean_up: 'unknown', keys: 'unknown' } as const

const Ready = Type.Object({
  status: Type.Enum(['ready', 'not_ready']),
  checks: Type.Object({
    database: Type.Enum(['ok', 'unavailable'], {
      description: '`unavailable` also while the database is read-only.',
    }),
    migrations: Type.Enum(['ok', 'newer', 'pending', 'incompatible', 'unknown'], {
      description:
        'Whether the database schema is up to date. `newer` if a newer version has migrated it and this process can go on, as during an upgrade: does not affect readiness. `incompatible` if it cannot.',
    }),
    draining: Type.Boolean({ description: 'Whether the process is shutting down.' }),
    clock: Type.Enum(['ok', 'skewed', 'unknown'], {
      description: 'Clock skew against the database. Informational: does not affect readiness.',
    }),
    mail: Type.Enum(['ok', 'delayed', 'unknown'], {
      description:
        '`delayed` if a message has been due for more than 60 seconds: no worker is running, a transport is down, or `MAIL_MAX_PER_HOUR` was reached. Informational: does not affect readiness.',
    }),
    redis: Type.Enum(['ok', 'unavailable', 'unused'], {
      description:
        'Whether rate limits are counted in Redis. While it is `unavailable`, each process counts on its own, with half of each limit. Informational: does not affect readiness.',
    }),
    clean_up: Type.Enum(['ok', 'refused', 'unknown'], {
      description:
        '`refused` if the latest clean-up stopped because it would have deleted most users, and the clock may be wrong: it is ahead of the database, or the previous run was long ago. Informational: does not affect readiness.',
    }),
    // If it decided, an emergency replacement of a key could not be rolled out replica by replica.
    keys: Type.Enum(['ok', 'differ', 'unknown'], {
      description:
        '`differ` if the other processes use a key that this one does not accept: it refuses their tokens, codes or links, and they refuse its own. The log names the setting. Informational: does not affect readiness.',
    }),
  }),
})

/** Liveness: independent of every dependency, so that an outage elsewhere restarts no process. */
export function healthRoute(app: App): void {
  const schema = {
    operationId: 'health',
    tags: ['Operations'],
    summary: 'Check liveness',
    response: {
      200: Type.Object(
        { status: Type.Literal('healthy') },
        { description: 'The process is alive.' },
      ),
    },
  }
  app.get('/health', { schema, logLevel: 'warn' }, () => ({ status: 'healthy' as const }))
}

/** Readiness, as of now: only concurrent requests share a check. `isDraining` is true once the stop is announced. */
export function readyRoute(app: App, ctx: Context, isDraining: () => boolean): void {
  const schema = {
    operationId: 'ready',
    tags: ['Operations'],
    summary: 'Check readiness',
    response: {
      200: { ...Ready, description: 'The process can serve requests.' },
      503: { ...Ready, description: 'The process cannot serve requests: see `checks`.' },
    },
  }
  let checking: ReturnType<typeof checkDatabase> | undefined
  app.get('/ready', { schema, logLevel: 'warn' }, async (_request, reply) => {
    const draining = isDraining()
    // Shared, and with a budget of its own: anybody may ask, each check needs a connection of the pool, and
    // a caller without connections left must not fail the check of others.
    checking ??= withBudget({ remainingMs: ctx.requestBudgetMs }, () => checkDatabase(ctx)).finally(
      () => (checking = undefined),
    )
    const database = await checking
    const ready = !draining && database.database === 'ok' && fits(database.migrations)
    if (!ready) reply.code(503).header('retry-after', '1')
    return {
      status: ready ? ('ready' as const) : ('not_ready' as const),
      checks: { ...database, draining, redis: REDIS[ctx.limits.store()] },
    }
  })
}

async function checkDatabase(ctx: Context) {
  try {
    const databaseNowMs = await ctx.checkDatabase()
    const skewed = Math.abs(databaseNowMs - ctx.now()) > SKEW_MAX_MS
    const migrations = await checkMigrations(ctx)
    return {
      database: 'ok' as const,
      migrations,
      clock: skewed ? ('skewed' as const) : ('ok' as const),
      // The queries need the columns of the latest migration.
      ...(fits(migrations) ? await checkRows(ctx) : UNKNOWN_ROWS),
    }
  } catch (error) {
    ctx.log.warn({ err: error }, 'not ready')
    return {
      database: 'unavailable' as const,
      migrations: 'unknown' as const,
      clock: 'unknown' as const,
      ...UNKNOWN_ROWS,
    }
  }
}

async function checkRows(ctx: Context) {
  const nowMs = ctx.now()
  const overdue = await isMailOverdue(ctx.db, nowMs - MAIL_DELAYED_AFTER_MS)
  const cleanUp = await findLastRun(ctx.db, CLEAN_UP, nowMs)
  const refused = cleanUp?.counts['refused'] !== undefined
  const unaccepted = await findUnacceptedKeys(ctx.db, ownKeysOf(ctx, { serves: true }), nowMs)
  return {
    mail: overdue ? ('delayed' as const) : ('ok' as const),
    clean_up: refused ? ('refused' as const) : ('ok' as const),
    keys: unaccepted.length > 0 ? ('differ' as const) : ('ok' as const),
  }
}

async function checkMigrations(ctx: Context) {
  try {
    const { pending, newer } = await compareSchema(ctx.db)
    if (pending.length > 0) return 'pending' as const
    return newer.length > 0 ? ('newer' as const) : ('ok' as const)
  } catch (error) {
    if (error instanceof SchemaError) return 'incompatible' as const
    throw error
  }
}

function fits(migrations: string): boolean {
  return migrations === 'ok' || migrations === 'newer'
}
