// The load generator, in a process of its own: one batch for each message.
import autocannon from 'autocannon'

export interface Load {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly connections: number
  /** One for each connection, in turn. */
  readonly headers?: readonly Readonly<Record<string, string>>[]
  /** `{n}` is a number that no other request of the batch has, `{token}` the connection's newest token. */
  readonly body?: string
  /** What `{n}` begins with, and after how many it begins again. */
  readonly numbers?: { readonly from: number; readonly count: number }
  /** One for each connection; every answer brings the next one. */
  readonly tokens?: readonly string[]
}

export interface Batch extends Load {
  readonly url: string
  /** The number of requests; or the time, in which statuses are only counted. */
  readonly amount?: number
  readonly seconds?: number
}

export interface Outcome {
  readonly requests: number
  readonly wallMs: number
  /** How many answers had each status; 0 are broken connections. */
  readonly statuses: Readonly<Record<string, number>>
  /** The newest token of each connection. */
  readonly tokens: readonly string[]
}

const JSON_BODY = { 'content-type': 'application/json' }
const SAMPLE_MS = 20
const TIMEOUT_S = 60

if (process.send !== undefined) {
  process.on('message', (batch: Batch) => {
    void send(batch).then((outcome) => process.send?.(outcome))
  })
}

async function send(batch: Batch): Promise<Outcome> {
  const tokens = [...(batch.tokens ?? [])]
  const { numbers = { from: 0, count: Number.MAX_SAFE_INTEGER } } = batch
  let connection = 0
  let sent = 0
  let lastAt = 0
  const startedAt = performance.now()
  const result = await autocannon({
    url: batch.url,
    connections: batch.connections,
    ...(batch.amount === undefined
      ? { duration: batch.seconds ?? 1 }
      : { amount: Math.max(batch.amount, batch.connections) }),
    timeout: TIMEOUT_S,
    sampleInt: SAMPLE_MS,
    setupClient(client) {
      const at = connection++
      const { method, path, headers = [{}], body } = batch
      const own = headers[at % headers.length] ?? {}
      const onResponse = (_: number, answer: string) => {
        lastAt = performance.now()
        if (batch.tokens !== undefined) tokens[at] = nextToken(answer)
      }
      if (body === undefined) {
        client.setRequests([{ method, path, headers: own, onResponse }])
        return
      }
      const setupRequest = (request: autocannon.Request) => {
        const number = numbers.from + (sent++ % numbers.count)
        const text = body.replaceAll('{n}', String(number)).replace('{token}', tokens[at] ?? '')
        return { ...request, body: text }
      }
      client.setRequests([
        { method, path, headers: { ...JSON_BODY, ...own }, setupRequest, onResponse },
      ])
    },
  })
  const counts = Object.entries(result.statusCodeStats).map(([status, { count }]) => [
    status,
    count,
  ])
  const statuses: Record<string, number> = Object.fromEntries(counts)
  const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  const broken = result.errors + result.timeouts
  return {
    requests,
    wallMs: lastAt - startedAt,
    statuses: broken > 0 ? { ...statuses, 0: broken } : statuses,
    tokens,
  }
}

function nextToken(answer: string): string {
  return (JSON.parse(answer) as { refresh_token?: string }).refresh_token ?? ''
}
