import { type Agent, request } from 'node:http'

export interface Question {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Makes it a POST. */
  readonly body?: string
}

export interface Timed {
  readonly ms: number
  readonly body: string
  readonly link: string | undefined
}

/** One request, and the time until its answer had come whole. Throws unless the status is 2xx. */
export function timeRequest(url: string, question: Question, agent: Agent | false): Promise<Timed> {
  const { path, body, headers = {} } = question
  const method = body === undefined ? 'GET' : 'POST'
  const all = body === undefined ? headers : { ...headers, ...describe(body) }
  const startedAt = performance.now()
  return new Promise((answered, failed) => {
    const sent = request(url + path, { method, headers: all, agent }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.once('end', () => {
        const { statusCode = 0, headers } = answer
        const link = /<([^>]+)>/.exec(String(headers['link'] ?? ''))?.[1]
        if (statusCode >= 200 && statusCode <= 299)
          answered({ ms: performance.now() - startedAt, body: text, link })
        else failed(new Error(`${path}: ${statusCode} ${text}`))
      })
    })
    sent.once('error', failed)
    sent.end(body)
  })
}

function describe(body: string) {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN
}
