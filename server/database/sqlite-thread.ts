import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { defineLower } from './sqlite-lower.ts'

// What `sqlite-aside.ts` starts: answers each query with its rows or its error.

export interface Query {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
  /** A checkpoint writes the file. */
  readonly writes?: boolean
}

export interface Answer {
  readonly rows?: unknown[]
  /** Of an Error, structured cloning would lose `errcode`. */
  readonly error?: { readonly message: string; readonly errcode?: number }
}

let reader: DatabaseSync | undefined
let writer: DatabaseSync | undefined

parentPort?.on('message', (query: Query) => parentPort?.postMessage(answer(query)))

function answer({ sql, parameters, writes = false }: Query): Answer {
  try {
    const handle = writes ? (writer ??= open({ readOnly: false })) : (reader ??= open())
    return { rows: handle.prepare(sql).all(...parameters) }
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number }
    return { error: { message, ...(errcode === undefined ? {} : { errcode }) } }
  }
}

function open({ readOnly } = { readOnly: true }): DatabaseSync {
  const handle = new DatabaseSync(String(workerData), { readOnly, timeout: 0 })
  defineLower(handle)
  return handle
}
