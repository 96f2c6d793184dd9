import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FloodRequest, startFlood } from '../support/hash-flood.ts'
import { countStatuses, oneByOne, times } from '../support/races.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from '../support/service.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 48
/** Customers, each from a network of their own, of whom so many ask at once. */
const CUSTOMERS = 40
const AT_ONCE = 8
const SERVED_MIN = 0.95 * 2 * CUSTOMERS

/** As in production; without limits, which would end the floods. */
const SETTINGS = {
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_PASSES: '2',
  HASH_QUEUE: '32',
  RATE_LIMIT: 'off',
  TRUSTED_PROXIES: '127.0.0.1/32',
}

const logIn = (email: string, ip: string): FloodRequest => ({
  method: 'POST',
  path: '/auth/login',
  headers: { 'x-forwarded-for': ip },
  body: { email, password: PASSWORD },
})
const changeEmail = ({ access }: TestUser, n: number): FloodRequest => ({
  method: 'POST',
  path: '/me/email',
  headers: { 'x-forwarded-for': '203.0.113.66', authorization: `Bearer ${access}` },
  body: { email: `new${n}@example.org`, current_password: PASSWORD },
})
const ATTACKER = 'attacker@example.com'

/** The status of each request of the flood that was hashed, and the requests. */
const FLOODS: readonly [
  string,
  number,
  (service: Service) => Promise<(n: number) => FloodRequest>,
][] = [
  [
    'right passwords of an unverified account from one address',
    403,
    async (service) => {
      await service.signUp(ATTACKER)
      return () => logIn(ATTACKER, '203.0.113.66')
    },
  ],
  [
    'right passwords of 48 unverified accounts from one IPv6 /48',
    403,
    async (service) => {
      await oneByOne(CONNECTIONS, (n) => service.signUp(`attacker${n}@example.com`))
      return (n) => logIn(`attacker${n}@example.com`, `2001:db8:0:${(n * 256).toString(16)}::1`)
    },
  ],
  [
    'right passwords of an unverified account from as many addresses',
    403,
    async (service) => {
      await service.signUp(ATTACKER)
      return (n) => logIn(ATTACKER, `203.0.113.${n}`)
    },
  ],
  [
    'right passwords at POST /me/email',
    202,
    async (service) => {
      const user = await service.addUser()
      return (n) => changeEmail(user, n)
    },
  ],
]

for (const [flood, status, prepare] of FLOODS) {
  test(`customers of other networks log in and sign up under ${CONNECTIONS} connections with ${flood}`, async (t) => {
    await using service = await startService(SETTINGS)
    const url = await service.listen()
    const customers = await oneByOne(CUSTOMERS, (n) => service.addUser(`ann${n}@example.com`))
    const requestOf = await prepare(service)
    await using attack = startFlood({ url, requests: times(CONNECTIONS).map(requestOf) })
    await until('a queue of hashes', () => service.ctx.hasher.waiting() > 4)

    const served = (
      await Promise.all(
        times(AT_ONCE).map((lane) =>
          serve(
            service,
            customers.filter((_, n) => n % AT_ONCE === lane),
          ),
        ),
      )
    ).flat()
    const counts = await attack.stop()

    t.diagnostic(
      `customers ${JSON.stringify(countStatuses(served))}, flood ${JSON.stringify(counts)}`,
    )
    const well = served.filter(({ status: one }) => one === 200 || one === 201).length
    assert.ok(well >= SERVED_MIN, `${well} of ${served.length} were served`)
    assert.ok((counts[status] ?? 0) > 0, 'nothing of the flood was hashed: that is no flood')
    assert.ok((counts[503] ?? 0) > 0, 'nothing of the flood was refused: that is no flood')
    const lines = service.logged.filter((line) => line.includes('hash queue full'))
    assert.match(lines.at(-1) ?? '', /"networks":\{"(203\.0\.113\.|2001:db8:0:0::\/48)/)
  })
}

/** Each logs in, and signs a friend up. */
async function serve(service: Service, customers: readonly TestUser[]): Promise<Answer[]> {
  const answers = await oneByOne(customers.length, async (n) => {
    const { id, email } = customers[n]!
    const ip = `192.0.2.${id}`
    const loggedIn = await service.post('/auth/login', { email, password: PASSWORD }, { ip })
    const friend = { email: `friend.of.${email}`, password: PASSWORD }
    const signedUp = await service.post('/auth/signup', friend, { ip })
    return [loggedIn, signedUp]
  })
  return answers.flat()
}
