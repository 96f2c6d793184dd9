import assert from 'node:assert/strict'
import { CompiledQuery, type Kysely, type KyselyPlugin, type RootOperationNode, sql } from 'kysely'
import { openDatabase } from '../../server/database/open.ts'
import type { Schema } from '../../server/database/schema.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { startService } from './service.ts'

export type Ask = (db: Kysely<Schema>) => Promise<unknown>

/**
 * A database of its own with what `fill` puts into it, and the plans that it makes for queries. PostgreSQL
 * keeps statistics by itself; on SQLite, nobody may have asked for any.
 */
export async function startPlans(
  fill: (db: Kysely<Schema>) => Promise<void>,
  { analyzed = true }: { analyzed?: boolean } = {},
) {
  const service = await startService()
  const backend = await openDatabase(databaseUrl(service.databaseUrl), { statementTimeoutMs: 0 })
  const db = backend.writer
  // What other tests deleted from this database still has its pages, by which PostgreSQL reckons.
  if (backend.dialect === 'postgres') await sql`vacuum full`.execute(db)
  await fill(db)
  if (analyzed || backend.dialect === 'postgres') await sql`analyze`.execute(db)
  const explain = backend.dialect === 'sqlite' ? 'explain query plan' : 'explain'

  /** How the database goes about the first query that `ask` makes, or the one at another index. */
  async function planOf(ask: Ask, index = 0): Promise<string> {
    // A query inside another is transformed, too, but has no result.
    const transformed = new WeakMap<object, RootOperationNode>()
    const asked: (RootOperationNode | undefined)[] = []
    const spy: KyselyPlugin = {
      transformQuery({ node, queryId }) {
        transformed.set(queryId, node)
        return node
      },
      async transformResult({ result, queryId }) {
        asked.push(transformed.get(queryId))
        return result
      },
    }
    await ask(db.withPlugin(spy))
    const query = asked.at(index)
    assert.ok(query)
    const compiled = db.getExecutor().compileQuery(query, { queryId: 'plan' })
    const plan = CompiledQuery.raw(`${explain} ${compiled.sql}`, [...compiled.parameters])
    const { rows } = await db.executeQuery(plan)
    return JSON.stringify(rows)
  }

  return {
    db,
    longReads: backend.longReader,
    planOf,
    async [Symbol.asyncDispose]() {
      await backend.close()
      await service[Symbol.asyncDispose]()
    },
  }
}
