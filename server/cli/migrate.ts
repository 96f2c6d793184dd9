import { readConfig } from '../settings/config.ts'
import { migrate } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { assertNoArguments, type Command } from './terminal.ts'

export const migrateDatabase: Command = {
  usage: '',
  summary: 'bring the database schema up to date',
  async run(args, environment) {
    assertNoArguments(args)
    const { secrets } = readConfig(environment)
    const backend = await openDatabase(secrets.databaseUrl)
    try {
      const applied = await migrate(secrets.databaseUrl, backend)
      console.log(
        applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`,
      )
      return 0
    } finally {
      await backend.close()
    }
  },
}
