import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
export type RangeReply = (response: ServerResponse) => unknown

export const sha1 = (password: string) =>
  createHash('sha1').update(password).digest('hex').toUpperCase()

/** As the real one answers: its lines end in CRLF, and padding has the count 0. */
export const ranges = (...entries: readonly (readonly [password: string, count: number])[]) => {
  const lines = entries.map(([password, count]) => `${sha1(password).slice(5)}:${count}`)
  return (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(lines.join('\r\n'))
}

/** A local range API that keeps what it is asked and answers as it is told. */
export async function startRangeServer(reply: RangeReply) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    void text(request).then((body) => {
      asked.push({ method, url, headers, body })
      reply(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    asked,
    /** For PWNED_PASSWORDS_URL. */
    url: `http://127.0.0.1:${port}/range/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
