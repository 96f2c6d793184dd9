import { createApp } from '../app.ts'
import { apiDocument } from '../api/public/documentation.ts'
import { type Command, withContext } from './terminal.ts'

export const printOpenApi: Command = {
  usage: '',
  summary: 'print the OpenAPI document',
  async run() {
    // The document depends on no setting and no data: an empty private database will do.
    return withContext({ DATABASE_URL: 'sqlite:///:memory:' }, async (ctx) => {
      const app = createApp(ctx)
      process.stdout.write(`${JSON.stringify(await apiDocument(app), null, 2)}\n`)
      await app.close()
      return 0
    })
  },
}
