import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** One connection of a flood: the request that it repeats. */
export interface FloodRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}
interface Flood {
  readonly url: string
  readonly requests: readonly FloodRequest[]
}

/** Repeats each request without a pause, in a thread, until `stop`, which returns the counts of statuses. */
export function startFlood(flood: Flood) {
  const thread = new Worker(import.meta.filename, { workerData: flood })
  return {
    async stop(): Promise<Readonly<Record<number, number>>> {
      const counted = once(thread, 'message')
      thread.postMessage('stop', [])
      const [counts] = await counted
      await thread.terminate()
      return counts
    },
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  }
}

if (parentPort !== null && workerData?.requests !== undefined) {
  const { url, requests } = workerData as Flood
  const agent = new Agent({ keepAlive: true, maxSockets: requests.length })
  const counts: Record<number, number> = {}
  let stopped = false
  parentPort.once('message', () => (stopped = true))
  await Promise.all(
    requests.map(async (one) => {
      while (!stopped) {
        const status = await send(url, one, agent)
        counts[status] = (counts[status] ?? 0) + 1
      }
    }),
  )
  agent.destroy()
  parentPort.postMessage(counts, [])
}

/** Resolves to the status, 0 when the connection broke. */
function send(url: string, { method, path, headers, body }: FloodRequest, agent: Agent) {
  const text = JSON.stringify(body)
  const length = { 'content-type': 'application/json', 'content-length': String(text.length) }
  return new Promise<number>((resolve) => {
    const sent = request(
      url + path,
      { method, headers: { ...headers, ...length }, agent },
      (answer) => answer.resume().once('end', () => resolve(answer.statusCode ?? 0)),
    )
    sent.once('error', () => resolve(0))
    sent.end(text)
  })
}
