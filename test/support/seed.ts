import type { Context } from '../../server/context.ts'
import type { Schema } from '../../server/database/schema.ts'
import { runDueJobs } from '../../server/jobs/schedule.ts'
import { newId } from '../../server/lib/random.ts'
import { toIso } from '../../server/lib/units.ts'
import { RECURRING_JOBS } from '../../server/worker.ts'
import { createDatabase, dropDatabase } from './cluster.ts'
import { TEMPLATE } from './database.ts'
import { type Service, startService } from './service.ts'

let seeded = 0

/** More users than could sign up in a test; returns their addresses. A hash of theirs fits no password. */
export async function seedUsers(
  ctx: Context,
  count: number,
  { createdAtMs, verified = false }: { createdAtMs: number; verified?: boolean },
): Promise<string[]> {
  const at = toIso(createdAtMs)
  const emails = Array.from({ length: count }, () => `seeded${++seeded}@example.com`)
  for (let start = 0; start < count; start += 500) {
    const users = emails.slice(start, start + 500).map((email) => ({
      email,
      email_canonical: email,
      role: 'user' as const,
      created_at: at,
      updated_at: at,
      ...(verified ? { verified_at: at, password_hash: 'none' } : {}),
    }))
    await ctx.transaction((tx) => tx.insertInto('users').values(users).execute())
  }
  return emails
}

/** Every row of a table. */
export function rowsOf({ db }: Context, table: keyof Schema): Promise<any[]> {
  return db.selectFrom(table).selectAll().execute()
}

/** What is due of one recurring job. */
export const runJob = ({ ctx }: Pick<Service, 'ctx'>, name: 'clean-up' | 'purge') =>
  runDueJobs(
    ctx,
    RECURRING_JOBS.filter((job) => job.name === name),
  )

/** A service on a database of the given kind, whichever the run is about; for slow tests. */
export async function startOn(
  database: 'sqlite' | 'postgres',
  settings: Record<string, string> = {},
): Promise<Service> {
  const options = { nowMs: Date.now() }
  if (database === 'sqlite') return startService(settings, options)
  const server = process.env['TEST_POSTGRES_URL'] ?? ''
  const name = `seeded_${newId().replaceAll('-', '')}`
  const url = await createDatabase(server, name, TEMPLATE)
  const service = await startService({ ...settings, DATABASE_URL: url }, options)
  return {
    ...service,
    databaseUrl: url,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await dropDatabase(server, name)
    },
  }
}
