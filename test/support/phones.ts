import assert from 'node:assert/strict'
import type { Answer, Service, TestUser } from './service.ts'

export const PHONE = '/api/v1/me/phone'
export const CONFIRM = '/api/v1/me/phone/confirm'
export const NUMBER = '+4915123456789'
export const OTHER_NUMBER = '+15550100200'

type Caller = Pick<TestUser, 'access'>

export const wantPhone = (
  service: Service,
  { access: token }: Caller,
  phone: string = NUMBER,
): Promise<Answer> => service.post(PHONE, { phone }, { token })

export const confirmPhone = (
  service: Service,
  { access: token }: Caller,
  code: string,
): Promise<Answer> => service.post(CONFIRM, { code }, { token })

export const removePhone = (service: Service, { access: token }: Caller): Promise<Answer> =>
  service.delete(PHONE, { token })

/** Asks for a code and delivers; how many text messages that sent. */
export async function askForCode(
  service: Service,
  caller: Caller,
  phone?: string,
): Promise<number> {
  const before = service.texts.length
  const answer = await wantPhone(service, caller, phone)
  assert.equal(answer.status, 202, answer.text)
  await service.deliverMail()
  return service.texts.length - before
}

/** The code in the newest text message to a number. */
export function newestCode(service: Service, phone = NUMBER): string {
  const text = service.texts.findLast((sms) => sms.to === phone)?.text ?? ''
  const code = /^[0-9]{6}\b/.exec(text)?.[0]
  assert.ok(code, `no code was sent to ${phone}`)
  return code
}

export async function phoneCodeFor(
  service: Service,
  caller: Caller,
  phone = NUMBER,
): Promise<string> {
  assert.equal(await askForCode(service, caller, phone), 1)
  return newestCode(service, phone)
}

/** Proves a number through the API. */
export async function addPhone(service: Service, caller: Caller, phone = NUMBER): Promise<void> {
  const code = await phoneCodeFor(service, caller, phone)
  const answer = await confirmPhone(service, caller, code)
  assert.equal(answer.status, 200, answer.text)
}

export async function phoneOf(service: Service, { access: token }: Caller): Promise<string | null> {
  return (await service.get('/api/v1/me', { token })).body.phone
}

export function pendingPhones({ ctx }: Service) {
  return ctx.db.selectFrom('phone_changes').select(['id', 'user_id', 'phone']).execute()
}
