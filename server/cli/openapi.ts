import { assertNoArguments, type Command, withContext } from './terminal.ts'

export const printOpenApi: Command = {
  usage: '',
  summary: 'print the OpenAPI document',
  async run(args) {
    assertNoArguments(args)
    // The document does not depend on settings or data: an empty in-memory database is enough.
    return withContext({ DATABASE_URL: 'sqlite:///:memory:' }, async (ctx) => {
      // Imported here, because no other command needs Fastify and the endpoints.
      const { createApp } = await import('../app.ts')
      const { apiDocument } = await import('../api/public/documentation.ts')
      const app = createApp(ctx)
      process.stdout.write(`${JSON.stringify(await apiDocument(app), null, 2)}\n`)
      await app.close()
      return 0
    })
  },
}
