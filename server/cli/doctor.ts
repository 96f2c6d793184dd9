import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  ConfigError,
  configWarnings,
  keyWarnings,
  readConfig,
  type Secrets,
} from '../settings/config.ts'
import { readDotEnv } from '../settings/environment.ts'
import { type Backend, connect } from '../database/connect.ts'
import { differingKey, findUnacceptedKeys, type OwnKeys, ownKeysOf } from '../keys/keys-in-use.ts'
import { publishedKeysAt, signingKeyAt } from '../keys/signing-keys.ts'
import { checkSchema, rehearse } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { databaseProblem } from '../database/problems.ts'
import { findSequencesBehind } from '../database/sequences.ts'
import { hasTrigrams, NO_TRIGRAMS } from '../accounts/search-indexes.ts'
import { hasActiveAdmin } from '../accounts/users.ts'
import { program } from '../lib/program.ts'
import { assertNoArguments, type Command } from './terminal.ts'

const SKEW_MAX_MS = 5000

type Report = (ok: boolean, text: string) => void

export const doctor: Command = {
  usage: '',
  summary:
    'check settings, database, migrations, ids, keys, clock, Redis and admins; creates and changes nothing',
  async run(args, environment) {
    assertNoArguments(args)
    let failed = false
    const report: Report = (ok, text) => {
      failed ||= !ok
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`)
    }
    report(true, `${program()}, Node ${process.versions.node}`)
    for (const warning of readDotEnv().warnings) console.log(`warn ${warning}`)
    try {
      const { config, secrets } = readConfig(environment, { createsKeys: false })
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
  const { databaseUrl: url } = secrets
  if (url.kind === 'sqlite' && url.path !== undefined && !existsSync(url.path)) {
    report(false, `DATABASE_URL: there is no file ${resolve(url.path)}; npm start creates it`)
    return
  }
  const onWarning = (text: string) => console.log(`warn ${text}`)
  const backend = await openDatabase(url, { onWarning })
  try {
    const connection = connect(backend)
    const databaseNowMs = await connection.check()
    const { path: file } = backend.file ?? {}
    report(true, `database (${connection.dialect})${file === undefined ? '' : `, ${file}`}`)
    const skewMs = Math.abs(databaseNowMs - Date.now())
    report(skewMs <= SKEW_MAX_MS, `clock, ${Math.round(skewMs)} ms off the database clock`)
    if (!(await reportMigrations(backend, report))) return
    for (const check of CHECKS) await check(backend, secrets, report)
  } finally {
    await backend.close()
  }
}

/** False if there are pending ones: our tables may be missing. */
async function reportMigrations(backend: Backend, report: Report): Promise<boolean> {
  const { pending, newer, isNew } = await checkSchema(backend)
  if (newer.length > 0)
    console.log(`warn a newer version has migrated the database: ${newer.join(', ')}`)
  if (pending.length === 0) report(true, 'migrations')
  else
    report(
      false,
      `migrations pending: ${pending.join(', ')}; npm start (with MIGRATE=on) or npm run migrate applies them`,
    )
  if (isNew) await rehearse(backend)
  return pending.length === 0
}

/** What is looked at once all migrations are applied, in this order. */
const CHECKS: readonly ((backend: Backend, secrets: Secrets, report: Report) => Promise<void>)[] = [
  reportSequences,
  reportKeys,
  reportSearch,
  reportAdmin,
]

async function reportSequences(backend: Backend, _secrets: Secrets, report: Report): Promise<void> {
  const behind = await findSequencesBehind(backend)
  if (behind.length === 0) report(true, 'ids')
  for (const { table, remedy } of behind) {
    report(
      false,
      `new rows of ${table} would get ids that were used; npm start (with MIGRATE=on) mends it, or: ${remedy}`,
    )
  }
}

async function reportSearch({ reader }: Backend): Promise<void> {
  if (!(await hasTrigrams(reader))) console.log(`warn ${NO_TRIGRAMS}`)
}

async function reportAdmin({ reader }: Backend): Promise<void> {
  const admin = await hasActiveAdmin(reader)
  console.log(
    admin
      ? 'ok   an active admin'
      : 'warn no admin yet: npm run cli -- users create <email> --role admin',
  )
}

async function reportKeys({ reader }: Backend, secrets: Secrets, report: Report): Promise<void> {
  const nowMs = Date.now()
  const file = secrets.signingKeyFile
  const signingKeys = file && {
    signing: () => signingKeyAt(file.keys, nowMs),
    published: () => publishedKeysAt(file.keys, nowMs),
  }
  const own = ownKeysOf({ ...secrets, signingKeys }, { serves: true })
  const unaccepted = await findUnacceptedKeys(reader, own, nowMs)
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
