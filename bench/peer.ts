// The peer: Better Auth as its documentation sets it up. ARGON2=on gives it a hash of our cost instead
// of its own. The limit of requests is off, as ours is.
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { hash, verify } from '@node-rs/argon2'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { admin } from 'better-auth/plugins'
import pg from 'pg'
import { ARGON2 } from './equal-cost.ts'

const equalCost = {
  hash: (password: string) => hash(password, ARGON2),
  verify: ({ hash, password }: { hash: string; password: string }) => verify(hash, password),
}

const { env } = process
const url = new URL(env['DATABASE_URL'] ?? '')
const auth = betterAuth({
  database:
    url.protocol === 'sqlite:'
      ? new DatabaseSync(url.pathname.slice(1))
      : new pg.Pool({ connectionString: url.href, max: 10 }),
  baseURL: `http://127.0.0.1:${env['PORT']}`,
  secret: 'a secret of the bench, of at least 32 characters',
  emailAndPassword: {
    enabled: true,
    ...(env['ARGON2'] === 'on' ? { password: equalCost } : {}),
  },
  plugins: [admin()],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
})
await (await getMigrations(auth.options)).runMigrations()
createServer(toNodeHandler(auth)).listen(Number(env['PORT']), '127.0.0.1')
