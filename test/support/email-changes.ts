import assert from 'node:assert/strict'
import { deriveCode } from '../../server/keys/codes.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { type Answer, PASSWORD, type Service, type TestUser } from './service.ts'

export const EMAIL = '/api/v1/me/email'
export const CONFIRM = '/api/v1/me/email/confirm'
export const UNDO = '/api/v1/auth/email/undo'

type Caller = Pick<TestUser, 'access'>

export const wantEmail = (
  service: Service,
  { access: token }: Caller,
  email: string,
  sent: object = {},
): Promise<Answer> => service.post(EMAIL, { email, current_password: PASSWORD }, { token, ...sent })

export const confirmEmail = (
  service: Service,
  { access: token }: Caller,
  code: string,
): Promise<Answer> => service.post(CONFIRM, { code }, { token })

export const undoEmail = (service: Service, token: string): Promise<Answer> =>
  service.post(UNDO, { token })

/** Codes for this address as a new one, oldest first; a code to sign up is another mail. */
export const emailCodesTo = (service: Service, email: string): string[] =>
  service.mailsTo(email).flatMap(({ subject, text }) => {
    const code = /\b[0-9]{6}\b/.exec(text)?.[0]
    return code !== undefined && subject.startsWith('Confirm the new address') ? [code] : []
  })

/** Asks for a change and returns the code that was mailed to the new address. */
export async function emailCodeFor(
  service: Service,
  caller: Caller,
  email: string,
): Promise<string> {
  const before = emailCodesTo(service, email).length
  const answer = await wantEmail(service, caller, email)
  assert.equal(answer.status, 202, answer.text)
  await service.deliverMail()
  const codes = emailCodesTo(service, email)
  assert.equal(codes.length, before + 1, `no code was mailed to ${email}`)
  return codes.at(-1) ?? ''
}

/** The code that the user's change would need; for a taken address it is mailed to nobody. */
export async function unsentCodeOf(service: Service, { id }: { id: number }): Promise<string> {
  const change = (await emailChanges(service)).find(
    (row) => row.user_id === id && row.confirmed_at === null,
  )
  assert.ok(change, 'no change waits')
  return deriveCode(service.ctx.keys.current.of.code, 'email', change.id)
}

/** Changes the address through the API; a minute passes first, so that it may be done again and again. */
export async function changeEmail(service: Service, caller: Caller, email: string): Promise<void> {
  service.advance(MINUTE_MS)
  const code = await emailCodeFor(service, caller, email)
  const answer = await confirmEmail(service, caller, code)
  assert.equal(answer.status, 200, answer.text)
  await service.deliverMail()
}

/** The tokens of the links that an address was mailed to take a change back, oldest first. */
export const undoTokensTo = (service: Service, email: string): string[] =>
  service.mailsTo(email).flatMap(({ text }) => /#undo=(\S+)/.exec(text)?.[1] ?? [])

export function undoTokenFor(service: Service, email: string): string {
  const token = undoTokensTo(service, email).at(-1)
  assert.ok(token, `no link to undo was mailed to ${email}`)
  return token
}

export async function emailOf({ ctx }: Service, { id }: { id: number }): Promise<string> {
  const row = await ctx.db
    .selectFrom('users')
    .select('email')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return row.email
}

/** Every change, whether it waits, counts or was undone, oldest first. */
export const emailChanges = ({ ctx }: Service) =>
  ctx.db.selectFrom('email_changes').selectAll().orderBy('created_at').orderBy('id').execute()

export const usersWith = ({ ctx }: Service, email: string) =>
  ctx.db
    .selectFrom('users')
    .select(['id', 'verified_at'])
    .where('email_canonical', '=', email)
    .execute()
