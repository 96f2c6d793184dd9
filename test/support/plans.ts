import assert from 'node:assert/strict'
import { CompiledQuery, type Kysely, type KyselyPlugin, type RootOperationNode } from 'kysely'
import type { Schema } from '../../server/database/schema.ts'

/** How the database goes about the first query that `ask` makes. */
export async function planOf(
  db: Kysely<Schema>,
  dialect: 'sqlite' | 'postgres',
  ask: (db: Kysely<Schema>) => Promise<unknown>,
): Promise<string> {
  const asked: RootOperationNode[] = []
  const spy: KyselyPlugin = {
    transformQuery({ node }) {
      asked.push(node)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  await ask(db.withPlugin(spy))
  const [query] = asked
  assert.ok(query)
  const compiled = db.getExecutor().compileQuery(query, { queryId: 'plan' })
  const explain = dialect === 'sqlite' ? 'explain query plan' : 'explain'
  const plan = CompiledQuery.raw(`${explain} ${compiled.sql}`, [...compiled.parameters])
  const { rows } = await db.executeQuery(plan)
  return JSON.stringify(rows)
}
