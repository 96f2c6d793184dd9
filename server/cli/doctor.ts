import {
  ConfigError,
  configWarnings,
  dotEnvWarnings,
  keyWarnings,
  readConfig,
} from '../settings/config.ts'
import { connect } from '../database/connect.ts'
import { pendingMigrations } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { databaseProblem } from '../database/problems.ts'
import type { DatabaseUrl } from '../database/url.ts'
import { hasActiveAdmin } from '../accounts/users.ts'
import { assertNoArguments, type Command } from './terminal.ts'

const SKEW_MAX_MS = 5000

type Report = (ok: boolean, text: string) => void

export const doctor: Command = {
  usage: '',
  summary:
    'check settings, database, migrations, clock, Redis and admins; creates an empty SQLite database and its key if missing, and changes nothing else',
  async run(args, environment) {
    assertNoArguments(args)
    let failed = false
    const report: Report = (ok, text) => {
      failed ||= !ok
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`)
    }
    report(true, `Node ${process.versions.node}`)
    for (const warning of dotEnvWarnings()) console.log(`warn ${warning}`)
    try {
      const { config, secrets } = readConfig(environment)
      report(true, 'settings')
      for (const warning of [...configWarnings(config), ...keyWarnings(secrets)])
        console.log(`warn ${warning}`)
      if (secrets.redisUrl !== undefined) await reportRedis(secrets.redisUrl, report)
      await reportDatabase(secrets.databaseUrl, report)
    } catch (error) {
      if (error instanceof ConfigError)
        for (const line of error.message.split('\n')) report(false, line)
      else report(false, databaseProblem(error) ?? messageOf(error))
    }
    return failed ? 1 : 0
  },
}

async function reportRedis(url: string, report: Report): Promise<void> {
  try {
    const { checkRedis } = await import('../limits/redis.ts')
    await checkRedis(url)
    report(true, 'Redis')
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException
    // The message of a system error would reveal the host.
    const why = syscall !== undefined && code !== undefined ? code : messageOf(error)
    report(
      false,
      `REDIS_URL names a server that cannot be used (${why}): each process counts rate limits on its own`,
    )
  }
}

async function reportDatabase(url: DatabaseUrl, report: Report): Promise<void> {
  const backend = await openDatabase(url)
  try {
    const connection = connect(backend)
    const databaseNowMs = await connection.check()
    report(true, `database (${connection.dialect})`)
    const pending = await pendingMigrations(connection.db)
    report(
      pending.length === 0,
      pending.length === 0
        ? 'migrations'
        : `migrations pending: ${pending.join(', ')}; npm start (with MIGRATE=on) or npm run migrate applies them`,
    )
    const skewMs = Math.abs(databaseNowMs - Date.now())
    report(skewMs <= SKEW_MAX_MS, `clock, ${Math.round(skewMs)} ms off the database clock`)
    if (pending.length > 0) return
    const admin = await hasActiveAdmin(connection.db)
    console.log(
      admin
        ? 'ok   an active admin'
        : 'warn no admin yet: npm run cli -- users create <email> --role admin',
    )
  } finally {
    await backend.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
