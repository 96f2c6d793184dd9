import { answer, type Reply, startHttpServer } from './http-server.ts'

export { answer }

export const SID = `AC${'0123456789abcdef'.repeat(2)}`
export const TOKEN = 'a secret/token+1'

export const ACCEPTED = answer(201, '{"sid":"SM1","status":"queued"}')

/** As Twilio refuses a message, repeating its number. */
export const refusal = (status: number, code: number, to = '+4915123456789'): Reply => {
  const message = `The 'To' number ${to} is not valid.`
  const more_info = `https://www.twilio.com/docs/errors/${code}`
  return answer(status, JSON.stringify({ code, message, more_info, status }))
}

/** A local Messages API; its URL is for SMS_URL. */
export async function startTwilio(...replies: readonly Reply[]) {
  const server = await startHttpServer(...replies)
  return { ...server, received: server.asked, url: smsUrlOf(server.host) }
}

export const smsUrlOf = (host: string, tls = '&tls=off') =>
  `twilio://${SID}:${encodeURIComponent(TOKEN)}@${host}?from=+15550100200${tls}`
