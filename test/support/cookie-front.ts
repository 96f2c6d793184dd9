import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const NAME = 'coffee_shop_refresh_token'

/**
 * Stands before a service that has no sessions in cookies yet, and moves the refresh token from the body into a
 * cookie and back.
 */
export async function startCookieFront(service: string) {
  const server = createServer((request, response) => {
    void pass(service + (request.url ?? ''), request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pass(url: string, request: IncomingMessage, response: ServerResponse) {
  const sent = await text(request)
  const kept = new RegExp(`${NAME}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1]
  const { cookie = false, ...fields } = sent === '' ? { cookie: true } : JSON.parse(sent)
  const isAboutCookie = cookie && /\/auth\/(login|refresh|logout)$/.test(url)
  const body = isAboutCookie && !url.endsWith('/login') ? { refresh_token: kept ?? 'none' } : fields
  const { authorization, accept } = request.headers
  const answer = await fetch(url, {
    method: request.method ?? '',
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(accept !== undefined && { accept }),
      ...(request.method !== 'GET' && { 'content-type': 'application/json' }),
    },
    ...(request.method !== 'GET' && { body: JSON.stringify(body) }),
  })
  const answered = await answer.text()
  response.statusCode = answer.status
  response.setHeader('content-type', answer.headers.get('content-type') ?? '')
  if (!isAboutCookie) return response.end(answered)
  const { refresh_token = '', ...rest } = answered === '' ? {} : JSON.parse(answered)
  const lifetime = refresh_token === '' ? '; Max-Age=0' : ''
  response.setHeader(
    'set-cookie',
    `${NAME}=${refresh_token}; Path=/; HttpOnly; SameSite=Strict${lifetime}`,
  )
  return response.end(answered === '' ? '' : JSON.stringify(rest))
}
