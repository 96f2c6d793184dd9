import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
export type Reply = (response: ServerResponse) => unknown

/** What `fetch` sends by itself. */
export const FETCH_HEADERS = {
  'accept-encoding': 'gzip, deflate',
  'accept-language': '*',
  'sec-fetch-mode': 'cors',
}

export const answer = (status: number, body = '', headers = {}): Reply => {
  return (response) => response.writeHead(status, headers).end(body)
}

/** A local server that keeps what it is asked; the n-th request gets the n-th reply, or the last. */
export async function startHttpServer(...replies: readonly Reply[]) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    void text(request).then((body) => {
      const reply = replies[Math.min(asked.length, replies.length - 1)]
      asked.push({ method, url, headers, body })
      reply?.(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    asked,
    host,
    url: `http://${host}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
