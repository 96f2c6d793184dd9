import assert from 'node:assert/strict'
import type { Mail } from '../../server/outbox/transports/mailer.ts'
import { deliverBy, UNCONFIRMED } from './mailers.ts'
import type { Answer, Service } from './service.ts'

export const FORGOT = '/api/v1/auth/password/forgot'
export const RESET = '/api/v1/auth/password/reset'
export const NEW_PASSWORD = 'a new battery for the horse'

const LINK = /^(\S+)\/reset#token=([^&\s]+)/m

/** The mails with a link to an address, the newest last. */
export function linksTo(service: Service, email: string): Mail[] {
  return service.mailsTo(email).filter(({ text }) => LINK.test(text))
}

/** Asks for a link and delivers; how many that sent to the address. */
export async function forget(service: Service, email: string, sent: object = {}): Promise<number> {
  const before = linksTo(service, email).length
  // Of those asked for in one millisecond one is mailed.
  service.advance(1)
  const answer = await service.post(FORGOT, { email }, sent)
  assert.equal(answer.status, 202, answer.text)
  await service.deliverMail()
  return linksTo(service, email).length - before
}

/** The token in the newest mail to an address that holds one. */
export function newestToken(service: Service, email: string): string {
  const token = LINK.exec(linksTo(service, email).at(-1)?.text ?? '')?.[2]
  assert.ok(token, `no link was mailed to ${email}`)
  return token
}

export async function tokenFor(service: Service, email: string): Promise<string> {
  assert.equal(await forget(service, email), 1)
  return newestToken(service, email)
}

export function reset(service: Service, token: string, password = NEW_PASSWORD): Promise<Answer> {
  return service.post(RESET, { token, password })
}

export function resetsOf({ ctx }: Service) {
  return ctx.db.selectFrom('password_resets').selectAll().execute()
}

/** The token in a mail that was handed over and never confirmed: it will be sent once more. */
export async function unconfirmedTokenFor(service: Service, email: string): Promise<string> {
  await service.post(FORGOT, { email })
  let text = ''
  await deliverBy(service, (mail) => {
    text = mail.text
    return UNCONFIRMED
  })
  return LINK.exec(text)?.[2] ?? ''
}
