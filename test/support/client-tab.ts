// A tab in a thread of its own: it is told what to do, and answers with what came of it.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type Client, createClient, type Tokens } from '../../client/index.ts'
import { fetchWithJar } from './cookie-jar.ts'

export interface TabOptions {
  readonly baseUrl: string
  /** Of the tokens, or of the cookie; all tabs share it. */
  readonly file: string
  readonly cookie: boolean
  /** As in a page of plain http. */
  readonly withoutLocks?: boolean
}
export type Ask = 'restore' | 'GET /me' | 'log out'
export interface TabAnswer {
  readonly status: number | undefined
  readonly signedIn: boolean
  readonly told: readonly boolean[]
}

const { baseUrl, file, cookie, withoutLocks } = workerData as TabOptions
if (withoutLocks === true) Reflect.deleteProperty(globalThis, 'navigator')
const told: boolean[] = []
const client = cookie
  ? createClient({ baseUrl, cookie, fetch: fetchWithJar(file) })
  : createClient({ baseUrl, tokens: { get, set, clear } })
client.subscribe((signedIn) => told.push(signedIn))

parentPort?.on('message', (ask: Ask) => {
  void run(client, ask).then((status) => {
    const answer: TabAnswer = { status, signedIn: client.signedIn, told }
    parentPort?.postMessage(answer)
  })
})

async function run({ restore, logOut, GET }: Client, ask: Ask): Promise<number | undefined> {
  if (ask === 'GET /me') return (await GET('/me')).response?.status
  return (await (ask === 'restore' ? restore() : logOut())).error?.status
}

function get(): Tokens | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
function set(tokens: Tokens): void {
  // A thread of its own writes at the same time.
  const part = `${file}.${Math.random()}`
  writeFileSync(part, JSON.stringify(tokens))
  renameSync(part, file)
}
function clear(): void {
  rmSync(file, { force: true })
}
