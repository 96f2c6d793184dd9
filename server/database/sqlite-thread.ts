import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { defineLower } from './sqlite-lower.ts'

// The thread of `sqlite-reader.ts`: answers each query with its rows or its error.

export interface Query {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

export interface Answer {
  readonly rows?: unknown[]
  /** Of an Error, structured cloning would lose `errcode`. */
  readonly error?: { readonly message: string; readonly errcode?: number }
}

let opened: DatabaseSync | undefined

parentPort?.on('message', (query: Query) => parentPort?.postMessage(answer(query)))

function answer({ sql, parameters }: Query): Answer {
  try {
    opened ??= open(String(workerData))
    return { rows: opened.prepare(sql).all(...parameters) }
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number }
    return { error: { message, ...(errcode === undefined ? {} : { errcode }) } }
  }
}

function open(file: string): DatabaseSync {
  const handle = new DatabaseSync(file, { readOnly: true, timeout: 0 })
  defineLower(handle)
  return handle
}
