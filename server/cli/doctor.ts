import {
  ConfigError,
  configWarnings,
  dotEnvWarnings,
  keyWarnings,
  readConfig,
  type Secrets,
} from '../settings/config.ts'
import { connect } from '../database/connect.ts'
import type { Db } from '../database/connect.ts'
import { differingKey, findUnacceptedKeys, type OwnKeys, ownKeysOf } from '../keys/keys-in-use.ts'
import { publishedKeysAt, signingKeyAt } from '../keys/signing-keys.ts'
import { pendingMigrations } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { databaseProblem } from '../database/problems.ts'
import { hasActiveAdmin } from '../accounts/users.ts'
import { assertNoArguments, type Command } from './terminal.ts'

const SKEW_MAX_MS = 5000

type Report = (ok: boolean, text: string) => void

export const doctor: Command = {
  usage: '',
  summary:
    'check settings, database, migrations, keys, clock, Redis and admins; creates an empty SQLite database and its keys if missing, and changes nothing else',
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
      await reportDatabase(secrets, report)
    } catch (error) {
      if (error instanceof ConfigError)
        for (const line of error.message.split('\n')) report(false, line)
      else report(false, databaseProblem(error) ?? messageOf(error))
    }
    return failed ? 1 : 0
  },
}

async function reportRedis(url: string, report: Report): Promise<void> {
  const { checkRedis, redisProblem } = await import('../limits/redis.ts')
  try {
    await checkRedis(url)
    report(true, 'Redis')
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException
    // The message of a system error would reveal the host.
    const why = syscall !== undefined && code !== undefined ? code : redisProblem(error)
    report(
      false,
      `REDIS_URL names a server that cannot be used (${why}): each process counts rate limits on its own`,
    )
  }
}

async function reportDatabase(secrets: Secrets, report: Report): Promise<void> {
  const backend = await openDatabase(secrets.databaseUrl)
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
    await reportKeys(connection.db, secrets, report)
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

async function reportKeys(db: Db, secrets: Secrets, report: Report): Promise<void> {
  const nowMs = Date.now()
  const file = secrets.signingKeyFile
  const signingKeys = file && {
    signing: () => signingKeyAt(file.keys, nowMs),
    published: () => publishedKeysAt(file.keys, nowMs),
  }
  const own = ownKeysOf({ ...secrets, signingKeys }, { serves: true })
  const unaccepted = await findUnacceptedKeys(db, own, nowMs)
  const differs = (purpose: OwnKeys['purpose']) =>
    unaccepted.find((found) => found.purpose === purpose)?.setting
  const [secret, token] = [differs('secret'), differs('token')]
  report(secret === undefined, secret === undefined ? 'keys' : differingKey(secret))
  // A worker needs none of these keys.
  if (token !== undefined && token !== secret)
    console.log(`warn access tokens: ${differingKey(token)}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
