import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type CompiledQuery,
  type Dialect,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { createTurns } from '../lib/turns.ts'
import { currentBudget, spend, takeTurn } from './budget.ts'
import { SERVICE } from './connect.ts'
import type { Schema } from './schema.ts'
import { nameFault, unavailable } from './sqlite-faults.ts'
import type { Answer, Query } from './sqlite-thread.ts'

/** In the image, both files are JavaScript in one folder. */
const THREAD = join(import.meta.dirname, `sqlite-thread${extname(import.meta.filename)}`)

export interface Aside {
  readonly reader: Kysely<Schema>
  /** Copies the WAL into the file as far as no reader needs it, without waiting for any. */
  checkpoint(): Promise<unknown>
  close(): Promise<void>
}

/**
 * A thread for reads and checkpoints that would hold the event loop. It starts at the first of them and
 * does one at a time; callers take turns. A query that exceeds its budget throws `database_unavailable`
 * at once, but nothing can interrupt SQLite: the next one waits for its end.
 */
export function openAside(file: string, assertSameFile: () => void): Aside {
  const turns = createTurns({ slots: 1 })
  let thread: Worker | undefined
  let asked = Promise.withResolvers<unknown[]>()
  let isClosed = false

  function start(): Worker {
    if (isClosed) throw unavailable(new Error('the database is closed'))
    assertSameFile()
    // Without the environment, which has secrets and may tell Node to load other modules.
    const worker = new Worker(THREAD, { workerData: file, execArgv: [], env: {} })
    worker.on('message', ({ rows = [], error }: Answer) => {
      if (error === undefined) asked.resolve(rows)
      else asked.reject(nameFault(Object.assign(new Error(error.message), error)))
    })
    worker.on('error', (error) => asked.reject(error))
    worker.on('exit', () => {
      thread = undefined
      asked.reject(unavailable(new Error('the thread beside the event loop ended')))
    })
    return worker
  }
  async function ask(query: Query): Promise<unknown[]> {
    const endTurn = await takeTurn(turns, currentBudget()?.caller ?? SERVICE)
    asked = Promise.withResolvers()
    const answered = asked.promise.finally(endTurn)
    try {
      thread ??= start()
      thread.postMessage(query)
    } catch (error) {
      asked.reject(error)
    }
    return spend(answered)
  }
  const reader = new Kysely<Schema>({ dialect: readOnlyDialect(ask) })
  return {
    reader,
    checkpoint: () => ask({ sql: 'pragma wal_checkpoint(passive)', parameters: [], writes: true }),
    async close() {
      isClosed = true
      await thread?.terminate()
      await reader.destroy()
    },
  }
}

function readOnlyDialect(ask: (query: Query) => Promise<unknown[]>): Dialect {
  const refuse = async () => {
    throw new Error('long reads have no transactions')
  }
  const connection = {
    executeQuery: async ({ sql, parameters }: CompiledQuery) => ({
      rows: await ask({ sql, parameters: parameters as Query['parameters'] }),
    }),
    streamQuery() {
      throw new Error('long reads have no streams')
    },
  } as DatabaseConnection
  return {
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => ({
      async init() {},
      acquireConnection: async () => connection,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      async releaseConnection() {},
      async destroy() {},
    }),
  }
}
