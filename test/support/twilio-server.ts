import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export const SID = `AC${'0123456789abcdef'.repeat(2)}`
export const TOKEN = 'a secret/token+1'

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
export type Reply = (response: ServerResponse) => void

export const answer = (status: number, body: string, headers = {}): Reply => {
  return (response) => response.writeHead(status, headers).end(body)
}
export const ACCEPTED = answer(201, '{"sid":"SM1","status":"queued"}')

/** As Twilio refuses a message, repeating its number. */
export const refusal = (status: number, code: number, to = '+4915123456789'): Reply => {
  const message = `The 'To' number ${to} is not valid.`
  const more_info = `https://www.twilio.com/docs/errors/${code}`
  return answer(status, JSON.stringify({ code, message, more_info, status }))
}

/** A local Messages API that keeps what it gets and answers the n-th request with the n-th reply, the last for good. */
export async function startTwilio(...replies: readonly Reply[]) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    void text(request).then((body) => {
      const reply = replies[Math.min(received.length, replies.length - 1)]
      received.push({ method, url, headers, body })
      reply?.(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    received,
    port,
    /** For SMS_URL. */
    url: smsUrlOf(`127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const smsUrlOf = (host: string, tls = '&tls=off') =>
  `twilio://${SID}:${encodeURIComponent(TOKEN)}@${host}?from=+15550100200${tls}`
