import assert from 'node:assert/strict'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { wantEmail } from './email-changes.ts'
import { askForCode, CONFIRM, newestCode } from './phones.ts'
import { FORGOT } from './resets.ts'
import { type Answer, PASSWORD, type Service, type TestUser } from './service.ts'

/** What only one person would have: each is found wherever it stands. */
export const CANARY = {
  firstEmail: 'cinderella-first@canary.example',
  email: 'Cinderella-Now@canary.example',
  name: 'Cinderella Canary',
  phone: '+491511111177',
  nextPhone: '+491522222277',
  ip: '203.0.113.77',
  network: '2001:db8:77:77',
  userAgent: 'CinderellaPhone/7.7',
} as const

const FROM = { ip: CANARY.ip as string, headers: { 'user-agent': CANARY.userAgent } }
const FROM_ELSEWHERE = { ...FROM, ip: `${CANARY.network}::1` }

function assertDone(answer: Answer, ...statuses: number[]): Answer {
  assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`)
  return answer
}

/** Signs up twice and mistypes the code; nothing is proved. */
export async function signUpAsCanary(service: Service, email: string = CANARY.firstEmail) {
  const body = { email, password: PASSWORD, full_name: CANARY.name }
  const headers = { ...FROM.headers, 'accept-language': 'de' }
  for (let time = 1; time <= 2; time++)
    assertDone(await service.post('/api/v1/auth/signup', body, { ...FROM, headers }), 201)
  const wrong = { email, code: '000000' }
  assertDone(await service.post('/api/v1/auth/verify', wrong, FROM), 400)
  const login = { email, password: PASSWORD }
  assertDone(await service.post('/api/v1/auth/login', login, FROM), 403)
  await service.deliverMail()
  service.advance(MINUTE_MS)
  assertDone(await service.post('/api/v1/auth/verify/resend', { email }, FROM), 202)
  assertDone(await service.post(FORGOT, { email }, FROM), 202)
  await service.deliverMail()
}

/** A user of whom every table holds something, made through the API; some mail still waits. */
export async function addCanary(service: Service): Promise<TestUser> {
  await signUpAsCanary(service)
  const code = await service.codeFor(CANARY.firstEmail)
  assertDone(
    await service.post('/api/v1/auth/verify', { email: CANARY.firstEmail, code }, FROM),
    200,
  )
  const logIn = async (email: string, from: typeof FROM) => {
    const credentials = { email, password: PASSWORD }
    const { body } = assertDone(await service.post('/api/v1/auth/login', credentials, from), 200)
    return { access: String(body.access_token), refresh: String(body.refresh_token) }
  }
  const refused = { email: CANARY.firstEmail, password: 'not the password' }
  assertDone(await service.post('/api/v1/auth/login', refused, FROM), 401)
  const session = await logIn(CANARY.firstEmail, FROM)
  await service.deliverMail()

  await askForCode(service, session, CANARY.phone)
  const confirm = (typed: string) =>
    service.post(CONFIRM, { code: typed }, { ...FROM, token: session.access })
  assertDone(await confirm('000000'), 400)
  assertDone(await confirm(newestCode(service, CANARY.phone)), 200)
  await moveTo(service, session, CANARY.email)

  await logIn(CANARY.email, FROM_ELSEWHERE)
  const refresh = { refresh_token: session.refresh }
  const { body } = assertDone(await service.post('/api/v1/auth/refresh', refresh, FROM), 200)
  const [access, newest] = [String(body.access_token), String(body.refresh_token)]
  service.advance(MINUTE_MS)
  await askForCode(service, { access }, CANARY.nextPhone)
  assertDone(await confirm('000000'), 400)
  assertDone(await service.post(FORGOT, { email: CANARY.email }, FROM), 202)
  await service.deliverMail()
  // Not delivered any more.
  assertDone(await service.post(FORGOT, { email: CANARY.email }, FROM), 202)
  const me = await service.get('/api/v1/me', { token: access })
  return { id: me.body.id, email: CANARY.email, password: PASSWORD, access, refresh: newest }
}

async function moveTo(service: Service, caller: { access: string }, email: string) {
  assertDone(await wantEmail(service, caller, email, FROM), 202)
  const code = await service.codeFor(email)
  const sent = { ...FROM, token: caller.access }
  assertDone(await service.post('/api/v1/me/email/confirm', { code }, sent), 200)
  await service.deliverMail()
}
