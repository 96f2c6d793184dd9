import { setTimeout as delay } from 'node:timers/promises'
import { PASSWORD } from './service.ts'
import type { ScriptedSmtpServer } from './smtp-server.ts'
import { until } from './until.ts'

/**
 * Refused because of what others do. A database that had no time in its two seconds is not: that is the
 * machine on which the test runs, and any client tries again.
 */
export const isRefused = ({ status, body }: Reply): boolean =>
  status === 429 || (status === 503 && body?.code !== 'database_unavailable')

export interface Sent {
  readonly path: string
  readonly body?: unknown
  readonly token?: string
  /** The client's address, as the proxy in front of the service names it. */
  readonly ip: string
}

export interface Reply {
  readonly status: number
  readonly body: any
}

/** Sends one request through the trusted proxy that the test is. */
export async function send(url: string, sent: Sent): Promise<Reply> {
  const answer = await fetch(`${url}/api/v1${sent.path}`, {
    method: 'POST',
    headers: {
      'x-forwarded-for': sent.ip,
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
  })
  return { status: answer.status, body: await answer.json().catch(() => undefined) }
}

export interface Walk {
  readonly url: string
  readonly smtp: ScriptedSmtpServer
  readonly ip: string
  readonly email: string
  /** Called with every answer: what is refused is sent again, but counts. */
  readonly onAnswer: (path: string, reply: Reply) => void
}

/** A customer's day: sign-up, verification, login, refresh, a forgotten password, login again. */
export async function walk(shop: Walk): Promise<void> {
  const { email } = shop
  const again = 'another horse battery staple'
  await step(shop, '/auth/signup', { email, password: PASSWORD })
  const code = await readMail(shop, /verification code is (\d{6})\b/)
  await step(shop, '/auth/verify', { email, code })
  const { body } = await step(shop, '/auth/login', { email, password: PASSWORD })
  await step(shop, '/auth/refresh', { refresh_token: body.refresh_token })
  await step(shop, '/auth/password/forgot', { email })
  const token = await readMail(shop, /#token(?:=3D|=)([\w.-]+)/)
  await step(shop, '/auth/password/reset', { token, password: again })
  await step(shop, '/auth/login', { email, password: again })
}

async function step(shop: Walk, path: string, body: unknown): Promise<Reply> {
  for (;;) {
    const reply = await send(shop.url, { path, body, ip: shop.ip })
    shop.onAnswer(path, reply)
    if (reply.status < 400) return reply
    if (reply.status !== 429 && reply.status !== 503)
      throw new Error(`${path}: ${JSON.stringify(reply.body)}`)
    await delay(100)
  }
}

/** What a pattern finds in a mail to the customer, once it has come. */
async function readMail({ smtp, email }: Walk, pattern: RegExp): Promise<string> {
  let found: string | undefined
  await until(`the mail with ${pattern} to ${email}`, () => {
    for (const { raw } of smtp.mailsTo(email))
      found ??= pattern.exec(raw.replace(/=\r\n/g, ''))?.[1]
    return found !== undefined
  })
  return found ?? ''
}
