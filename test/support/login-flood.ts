import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** What the thread is started with, and what it answers. */
export interface Flood {
  readonly url: string
  /** Each is a request; null: for `/health`, which costs next to nothing. */
  readonly logins: readonly ({ readonly email: string; readonly password: string } | null)[]
}
export interface FloodAnswer {
  /** 0 when the connection broke. */
  readonly status: number
  readonly retryAfter: string | undefined
}

/** All logins at once, each on a connection of its own; in a thread, so as not to slow who measures. */
export async function sendAtOnce(flood: Flood): Promise<readonly FloodAnswer[]> {
  await using thread = new Worker(import.meta.filename, { workerData: flood })
  const [answers] = await once(thread, 'message')
  return answers
}

if (parentPort !== null) {
  const { url, logins } = workerData as Flood
  const agent = new Agent({ maxSockets: logins.length })
  const answers = await Promise.all(logins.map((login) => send(url, login, agent)))
  agent.destroy()
  parentPort.postMessage(answers, [])
}

function send(url: string, login: Flood['logins'][number], agent: Agent): Promise<FloodAnswer> {
  const body = login === null ? '' : JSON.stringify(login)
  const [method, path] = login === null ? ['GET', '/health'] : ['POST', '/auth/login']
  const headers =
    login === null ? {} : { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve) => {
    const sent = request(url + path, { method, headers, agent }, (answer) => {
      answer.resume().once('end', () => {
        const retryAfter = answer.headers['retry-after']
        resolve({ status: answer.statusCode ?? 0, retryAfter })
      })
    })
    sent.once('error', () => resolve({ status: 0, retryAfter: undefined }))
    sent.end(body)
  })
}
