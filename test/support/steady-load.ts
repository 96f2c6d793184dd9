import { Agent as ClearAgent, request as requestClear } from 'node:http'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { REQUEST_BUDGET_MS } from '../../server/database/budget.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import { CERTIFICATE } from './certificate.ts'
import { times } from './races.ts'
import { PASSWORD } from './service.ts'
import { until } from './until.ts'

/** Each does one thing at a time: no more requests than these are under way on a slow machine. */
const CUSTOMERS = 12
const PER_SECOND = 200
/** Of ten requests one is a login, three are refreshes, and the others read. */
const ROUTES = [
  'POST /auth/login',
  ...times(3).map(() => 'POST /auth/refresh'),
  ...times(3).map(() => 'GET /me'),
  ...times(3).map(() => 'GET /me/sessions'),
]

interface Customer {
  readonly email: string
  /** Of its own: networks share out what a service has. */
  readonly ip: string
}

/** Anything but 200: the status with the body, or the error of the connection. */
interface Failure {
  readonly route: string
  readonly outcome: string
}

/** Accounts that are verified; `codeOf` finds the mailed code of an address. */
export function signUpCustomers(
  url: string,
  codeOf: (email: string) => string | undefined,
): Promise<Customer[]> {
  return Promise.all(
    times(CUSTOMERS).map(async (n) => {
      const customer = { email: `customer${n}@example.com`, ip: `127.0.1.${n + 1}` }
      const { email } = customer
      // A machine that has no time for it answers 503, although it may be done.
      const insist = (path: string, body: object) =>
        until(path, async () => {
          const { status } = await send(`${url}/api/v1`, `POST ${path}`, sentBy(customer, { body }))
          return status !== 503
        })
      await insist('/auth/signup', { email, password: PASSWORD })
      await until(`a code for ${email}`, () => codeOf(email) !== undefined)
      await insist('/auth/verify', { email, code: codeOf(email) })
      return customer
    }),
  )
}

export interface Load {
  readonly failures: readonly Failure[]
  readonly answered: () => number
  /** Requests that are under way. */
  readonly asking: () => number
  stop(): Promise<void>
}

/** Customers who log in, refresh and read, 200 times a second in all, whatever becomes of it. */
export function startLoad(url: string, customers: readonly Customer[]): Load {
  // As browsers and mobile apps do; a request that fails is not repeated.
  const agent = new (url.startsWith('https:') ? Agent : ClearAgent)({ keepAlive: true })
  const failures: Failure[] = []
  let [answered, asking, over] = [0, 0, false]

  async function ask(visit: Visit, route: string): Promise<void> {
    const askedAt = performance.now()
    const sent = { ...sentBy(visit.customer, contentOf(visit, route)), agent }
    try {
      const { status, body } = await send(`${url}/api/v1`, route, sent)
      answered++
      if (status === 200 && route.startsWith('POST')) visit.tokens = JSON.parse(body)
      else if (status !== 200 && !isStarved(body, askedAt))
        failures.push({ route, outcome: `${status} ${body}` })
    } catch (error) {
      failures.push({ route, outcome: String(error) })
    }
  }

  async function run(): Promise<void> {
    const idle: Visit[] = customers.map((customer) => ({ customer, tokens: undefined }))
    const startedAt = performance.now()
    for (let sent = 0; !over; await delay(1)) {
      const due = ((performance.now() - startedAt) * PER_SECOND) / SECOND_MS
      for (; sent < due && idle.length > 0; sent++) {
        const visit = idle.shift() as Visit
        const route = ROUTES[visit.tokens === undefined ? 0 : sent % ROUTES.length] ?? ''
        asking++
        void ask(visit, route).then(() => {
          asking--
          idle.push(visit)
        })
      }
    }
    await until('the last answers', () => asking === 0)
    agent.destroy()
  }
  const running = run()
  return {
    failures,
    answered: () => answered,
    asking: () => asking,
    stop() {
      over = true
      return running
    },
  }
}

interface Visit {
  readonly customer: Customer
  /** Once logged in. */
  tokens: { readonly access_token: string; readonly refresh_token: string } | undefined
}

function contentOf({ customer, tokens }: Visit, route: string) {
  if (route === 'POST /auth/login') return { body: { email: customer.email, password: PASSWORD } }
  if (route === 'POST /auth/refresh') return { body: { refresh_token: tokens?.refresh_token } }
  return { token: tokens?.access_token ?? '' }
}

function sentBy({ ip }: Customer, content: { body?: object; token?: string }) {
  const { body, token } = content
  const headers: Record<string, string> =
    body === undefined
      ? { authorization: `Bearer ${token}` }
      : { 'content-type': 'application/json' }
  return { ip, headers, body: body === undefined ? '' : JSON.stringify(body) }
}

/** The machine had no time for the database; one that was closed too early would be refused at once. */
const isStarved = (body: string, askedAt: number) =>
  body.includes('"database_unavailable"') && performance.now() - askedAt >= REQUEST_BUDGET_MS

/** A request from an address of loopback; with an agent, over a connection that is kept. */
export function send(
  url: string,
  route: string,
  sent: {
    readonly ip: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly agent?: ClearAgent
  },
): Promise<{ status: number; body: string }> {
  const { ip, headers, body, agent } = sent
  const [method = '', path = ''] = route.split(' ')
  const options = { method, headers, localAddress: ip, ca: CERTIFICATE, ...(agent && { agent }) }
  const begin = url.startsWith('https:') ? request : requestClear
  return new Promise((resolve, reject) => {
    begin(url + path, options, (answer) => {
      const status = answer.statusCode ?? 0
      text(answer).then((read) => resolve({ status, body: read }), reject)
    })
      .once('error', reject)
      .end(body)
  })
}
