import { readConfig } from '../settings/config.ts'
import { connect } from '../database/connect.ts'
import { checkSchema } from '../database/migrate.ts'
import { isLocked, partitionByMonth } from '../database/months.ts'
import { openDatabase } from '../database/open.ts'
import { assertNoArguments, type Command } from './terminal.ts'

export const partitionCommand: Command = {
  usage: '',
  summary:
    'keep audit events in one table a month, which is dropped when they expire; once, on PostgreSQL, for millions a month',
  async run(args, environment) {
    assertNoArguments(args)
    const { databaseUrl } = readConfig(environment).secrets
    if (databaseUrl.kind === 'sqlite') return refuse('Only PostgreSQL has tables of months.')
    // A large table is read for longer than a statement of the service may take.
    const backend = await openDatabase(databaseUrl, { poolMax: 1, statementTimeoutMs: 0 })
    try {
      const { pending } = await checkSchema(backend)
      if (pending.length > 0) return refuse('Migrations are pending: npm run migrate, then again.')
      const { transaction, check } = connect(backend)
      const nowMs = await check()
      const isDone = await transaction((tx) => partitionByMonth(tx, nowMs))
      console.log(isDone ? 'Partitioned by month.' : 'Already partitioned by month.')
      return 0
    } catch (error) {
      if (!isLocked(error)) throw error
      return refuse('The table is in use, by a dump for example: nothing was changed. Try again.')
    } finally {
      await backend.close()
    }
  },
}

function refuse(text: string): number {
  console.error(text)
  return 1
}
