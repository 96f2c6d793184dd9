import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, readConfig, type Secrets } from '../settings/config.ts'
import { readDotEnv } from '../settings/environment.ts'
import { connect, type Connection } from '../database/connect.ts'
import { ownKeysOf } from '../keys/keys-in-use.ts'
import { publishedKeysAt, signingKeyAt } from '../keys/signing-keys.ts'
import { checkSchema, rehearse } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { databaseProblem } from '../database/problems.ts'
import {
  examineClock,
  examineSchema,
  examineSettings,
  EXAMINATIONS,
  type Finding,
} from '../accounts/findings.ts'
import { program } from '../lib/program.ts'
import { assertNoArguments, type Command } from './terminal.ts'

type Report = (finding: Finding) => void

const MARKS = { ok: 'ok  ', warning: 'warn', error: 'FAIL' } as const

export const doctor: Command = {
  usage: '',
  summary:
    'check settings, database, migrations, ids, keys, clock, Redis and admins; creates and changes nothing',
  async run(args, environment) {
    assertNoArguments(args)
    let failed = false
    const report: Report = ({ severity, detail }) => {
      failed ||= severity === 'error'
      console.log(`${MARKS[severity]} ${detail}`)
    }
    report({ severity: 'ok', detail: `${program()}, Node ${process.versions.node}` })
    for (const detail of readDotEnv().warnings) report({ severity: 'warning', detail })
    try {
      const { config, secrets } = readConfig(environment, { createsKeys: false })
      for (const finding of examineSettings(config, secrets)) report(finding)
      if (secrets.redisUrl !== undefined) await reportRedis(secrets.redisUrl, report)
      await reportDatabase(secrets, report)
    } catch (error) {
      const details =
        error instanceof ConfigError
          ? error.message.split('\n')
          : [databaseProblem(error) ?? messageOf(error)]
      for (const detail of details) report({ severity: 'error', detail })
    }
    return failed ? 1 : 0
  },
}

async function reportRedis(url: string, report: Report): Promise<void> {
  const { checkRedis, redisProblem } = await import('../limits/redis.ts')
  try {
    await checkRedis(url)
    report({ severity: 'ok', detail: 'Redis' })
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException
    // The message of a system error would reveal the host.
    const why = syscall !== undefined && code !== undefined ? code : redisProblem(error)
    const detail = `REDIS_URL names a server that cannot be used (${why}): each process counts rate limits on its own`
    report({ severity: 'error', detail })
  }
}

async function reportDatabase(secrets: Secrets, report: Report): Promise<void> {
  const { databaseUrl: url } = secrets
  if (url.kind === 'sqlite' && url.path !== undefined && !existsSync(url.path)) {
    const detail = `DATABASE_URL: there is no file ${resolve(url.path)}; npm start creates it`
    report({ severity: 'error', detail })
    return
  }
  const onWarning = (detail: string) => report({ severity: 'warning', detail })
  const backend = await openDatabase(url, { onWarning })
  try {
    const connection = connect(backend)
    const databaseNowMs = await connection.check()
    const { path: file } = backend.file ?? {}
    const detail = `database (${connection.dialect})${file === undefined ? '' : `, ${file}`}`
    report({ severity: 'ok', detail })
    report(examineClock(databaseNowMs, Date.now()))
    const schema = await checkSchema(backend)
    for (const finding of examineSchema(schema)) report(finding)
    if (schema.isNew) await rehearse(backend)
    // Without them, our tables may be missing.
    if (schema.pending.length === 0) await reportRows(connection, secrets, report)
  } finally {
    await backend.close()
  }
}

async function reportRows(connection: Connection, secrets: Secrets, report: Report) {
  const nowMs = Date.now()
  const file = secrets.signingKeyFile
  const signingKeys = file && {
    signing: () => signingKeyAt(file.keys, nowMs),
    published: () => publishedKeysAt(file.keys, nowMs),
  }
  const { db, dialect } = connection
  const ownKeys = ownKeysOf({ ...secrets, signingKeys }, { serves: true })
  for (const examine of EXAMINATIONS)
    for (const finding of await examine({ db, dialect, ownKeys, nowMs })) report(finding)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
