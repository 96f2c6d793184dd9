import assert from 'node:assert/strict'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { CONFIRM, EMAIL } from '../test/support/email-changes.ts'
import { runJob } from '../test/support/jobs.ts'
import { deliverBy, REFUSED } from '../test/support/mailers.ts'
import { FORGOT } from '../test/support/resets.ts'
import { type Answer, PASSWORD, type Service, startService } from '../test/support/service.ts'
import { USERS } from '../test/support/users.ts'

/** What the clock of the service, and of the pages, shows. */
export const NOW_MS = Date.UTC(2026, 9, 16, 8, 30)
const DAYS = 14

export const BOSS = 'helen@beanandleaf.example'
/** Whose account has a history: her address was another one until this morning. */
export const CUSTOMER = 'clara@winter.example'
const FORMERLY = 'clara.winter@example.com'
/** Signed up and never entered the code. */
export const NEWCOMER = 'oskar.lind@example.org'

export const DEVICES = {
  phone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.2 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36',
  laptop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0',
} as const

const PEOPLE = [
  ['Ada Moreau', 'ada.moreau@example.org'],
  ['Ben Okafor', 'ben.okafor@example.com'],
  ['Clara Winter', FORMERLY],
  ['Dmitri Volkov', 'dmitri@volkov.example'],
  ['Elif Yıldız', 'elif.yildiz@example.com'],
  ['Farid Haddad', 'farid.haddad@example.net'],
  ['Greta Lindqvist', 'greta.lindqvist@example.org'],
  ['Hugo Álvarez', 'hugo@alvarez.example'],
  ['Ines Pereira', 'ines.pereira@example.com'],
  ['Jonas Huber', 'jonas.huber@example.at'],
  ['Kaori Tanaka', 'kaori.tanaka@example.jp'],
  ['Liam O’Connor', 'liam.oconnor@example.ie'],
  ['Maximiliane Freifrau von Hohenstein-Schwarzenberg', 'maximiliane.von.hohenstein@example.de'],
] as const

/** A service with two weeks behind it, the same at each call. It listens at `baseUrl`. */
export async function startDemoShop() {
  const service = await startService(
    { RATE_LIMIT: 'off', SHOP_NAME: 'Bean & Leaf', SHOP_URL: 'https://beanandleaf.example' },
    { nowMs: NOW_MS - DAYS * DAY_MS },
  )
  const boss = await service.addAdmin(BOSS)
  done(await service.patch('/api/v1/me', { full_name: 'Helen Brandt' }, { token: boss.access }))
  for (let day = 0; day < DAYS; day++) {
    service.clock.nowMs = NOW_MS - (DAYS - day) * DAY_MS + HOUR_MS
    await signUps(service, day)
    await logins(service, day)
    service.clock.nowMs = NOW_MS - (DAYS - day - 1) * DAY_MS
    for (const job of ['tally', 'purge'] as const) await runJob(service, job)
    // The one of tonight is still to come.
    if (day < DAYS - 2) await runJob(service, 'clean-up')
  }
  await lastMorning(service)
  service.clock.nowMs = NOW_MS
  for (const job of ['tally', 'purge', 'erase'] as const) await runJob(service, job)
  return { ...service, baseUrl: await service.listen() }
}

async function signUps(service: Service, day: number): Promise<void> {
  const person = PEOPLE[day]
  if (person !== undefined) {
    const [name, email] = person
    await service.registerUser(email, PASSWORD, name)
  }
  for (let n = 0; n <= day % 3; n++) {
    service.advance(7 * MINUTE_MS)
    await service.signUp(`guest${day}.${n}@example.com`, PASSWORD)
  }
  await service.deliverMail()
}

async function logins(service: Service, day: number): Promise<void> {
  const known = PEOPLE.slice(0, day + 1).filter((_, index) => (index + day) % 3 !== 0)
  for (const [index, [, email]] of known.entries()) {
    service.advance(13 * MINUTE_MS)
    const device = (['phone', 'android', 'laptop'] as const)[index % 3] ?? 'phone'
    if ((index + day) % 4 === 0) await logIn(service, email, { device, password: 'forgotten' })
    await logIn(service, email, { device })
  }
}

/** What an admin is told about: a customer who was locked out and moved, mail that failed, who waits. */
async function lastMorning(service: Service): Promise<void> {
  service.clock.nowMs = NOW_MS - 2 * HOUR_MS
  for (let time = 0; time < 3; time++)
    await logIn(service, FORMERLY, { device: 'laptop', password: 'forgotten' })
  const sent = { ip: addressOf(FORMERLY) }
  done(await service.post(FORGOT, { email: FORMERLY }, sent))
  await service.deliverMail()
  const token = /#token=([\w.-]+)/.exec(service.mailsTo(FORMERLY).at(-1)?.text ?? '')?.[1]
  service.advance(4 * MINUTE_MS)
  done(await service.post('/api/v1/auth/password/reset', { token, password: PASSWORD }, sent))
  const clara = await logIn(service, FORMERLY, { device: 'phone' })
  await logIn(service, FORMERLY, { device: 'laptop' })
  const body = { email: CUSTOMER, current_password: PASSWORD }
  done(await service.post(EMAIL, body, { ...sent, token: clara.access }))
  const code = await service.codeFor(body.email)
  done(await service.post(CONFIRM, { code }, { ...sent, token: clara.access }))

  service.advance(9 * MINUTE_MS)
  await service.deliverMail()
  await service.signUp('paul@exmaple.example', PASSWORD, 'Paul Reiter')
  await deliverBy(service, () => REFUSED)
  service.advance(11 * MINUTE_MS)
  await service.signUp(NEWCOMER, PASSWORD, 'Oskar Lind')
  const { access } = await logIn(service, BOSS, { device: 'laptop' })
  const invitation = { email: 'mina@beanandleaf.example', full_name: 'Mina Sato', role: 'admin' }
  done(await service.post(USERS, invitation, { token: access }))
  const { body: farid } = await service.get(`${USERS}?q=farid`, { token: access })
  done(await service.patch(`${USERS}/${farid[0].id}`, { disabled: true }, { token: access }))
  await service.deliverMail()
}

async function logIn(
  service: Service,
  email: string,
  { device, password = PASSWORD }: { device: keyof typeof DEVICES; password?: string },
): Promise<{ access: string }> {
  const { body } = await service.post(
    '/api/v1/auth/login',
    { email, password },
    { headers: { 'user-agent': DEVICES[device] }, ip: addressOf(email) },
  )
  return { access: body.access_token }
}

const addressOf = (email: string) => `198.51.100.${email.length}`

function done(answer: Answer): void {
  assert.ok(answer.status < 400, `${answer.status} ${answer.text}`)
}
