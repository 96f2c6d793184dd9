import { ConfigError, configWarnings, readConfig } from '../config.ts'
import { connect } from '../database/connect.ts'
import { pendingMigrations } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { databaseProblem } from '../database/problems.ts'
import { hasActiveAdmin } from '../users/users.ts'
import type { Command } from './terminal.ts'

const SKEW_MAX_MS = 5000

export const doctor: Command = {
  usage: '',
  summary: 'check settings, database, migrations, clock and admins; migrates nothing',
  async run(_args, environment) {
    let failed = false
    const report = (ok: boolean, text: string) => {
      failed ||= !ok
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`)
    }
    report(true, `Node ${process.versions.node}`)
    try {
      const { config, secrets } = readConfig(environment)
      report(true, 'settings')
      for (const warning of configWarnings(config)) console.log(`warn ${warning}`)
      const backend = await openDatabase(secrets.databaseUrl)
      try {
        const connection = connect(backend)
        const databaseNowMs = await connection.check()
        report(true, `database (${connection.dialect})`)
        const pending = await pendingMigrations(connection.db)
        report(
          pending.length === 0,
          pending.length === 0 ? 'migrations' : `migrations pending: ${pending.join(', ')}`,
        )
        const skewMs = Math.abs(databaseNowMs - Date.now())
        report(skewMs <= SKEW_MAX_MS, `clock, ${Math.round(skewMs)} ms from the database’s`)
        if (pending.length === 0) {
          const admin = await hasActiveAdmin(connection.db)
          console.log(
            admin
              ? 'ok   an active admin'
              : 'warn no admin yet: npm run cli -- users create <email> --role admin',
          )
        }
      } finally {
        await backend.close()
      }
    } catch (error) {
      if (error instanceof ConfigError)
        for (const line of error.message.split('\n')) report(false, line)
      else {
        const unknown = error instanceof Error ? error.message : 'unknown error'
        report(false, databaseProblem(error) ?? unknown)
      }
    }
    return failed ? 1 : 0
  },
}
