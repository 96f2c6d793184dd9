// What Fastify alone costs to start.
import Fastify from 'fastify'

const app = Fastify()
app.get('/health', () => ({ hello: 'world' }))
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' })
