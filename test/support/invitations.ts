import assert from 'node:assert/strict'
import { reset } from './resets.ts'
import type { Answer, Service } from './service.ts'
import { USERS } from './users.ts'

export const INVITED = 'ann@example.com'

interface Caller {
  readonly access: string
}

export const invite = (service: Service, { access: token }: Caller, body: object = {}) =>
  service.post(USERS, { email: INVITED, ...body }, { token })

export const invitationOf = (id: number) => `${USERS}/${id}/invitation`

/** The tokens of the links that an address was mailed, oldest first. */
export async function invitationsTo(service: Service, email = INVITED): Promise<string[]> {
  await service.deliverMail()
  return service
    .mailsTo(email)
    .flatMap(({ text }) => /\/reset#token=([^&\s]+)&for=invitation&/m.exec(text)?.[1] ?? [])
}

/** Invites an address and returns the user and the token in the mail. */
export async function invited(service: Service, caller: Caller, body: object = {}) {
  const answer = await invite(service, caller, body)
  assert.equal(answer.status, 201, answer.text)
  const token = (await invitationsTo(service, answer.body.email)).at(-1) ?? assert.fail('no link')
  return { user: answer.body, token }
}

export async function accept(service: Service, token: string, password?: string): Promise<Answer> {
  const answer = await reset(service, token, password)
  assert.equal(answer.status, 200, answer.text)
  return answer
}
