import { type Command, withContext } from './terminal.ts'

export const printOpenApi: Command = {
  usage: '',
  summary: 'print the OpenAPI document',
  async run() {
    // The document depends on no setting and no data: an empty private database will do.
    return withContext({ DATABASE_URL: 'sqlite:///:memory:' }, async (ctx) => {
      // Fastify and every endpoint: no other command needs them.
      const { createApp } = await import('../app.ts')
      const { apiDocument } = await import('../api/public/documentation.ts')
      const app = createApp(ctx)
      process.stdout.write(`${JSON.stringify(await apiDocument(app), null, 2)}\n`)
      await app.close()
      return 0
    })
  },
}
