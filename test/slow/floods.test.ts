import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { isRefused, type Reply, send, type Sent, walk } from '../support/customers.ts'
import { codeIn, type DatabaseKind, type Shop, startShop } from '../support/mail-outage.ts'
import { times } from '../support/races.ts'
import { PASSWORD } from '../support/service.ts'

const CUSTOMERS = 8
/** Of the customers' answers. */
const SERVED_MIN = 0.95
const CONNECTIONS = 24
/** What the mail server takes for each. */
const MAIL_MS = 200
const STRANGER = '198.51.100.7'

interface Stranger {
  readonly url: string
  readonly smtp: Shop['smtp']
  post(path: string, body?: unknown, sent?: Partial<Sent>): Promise<Reply>
}

/** Prepares a flood and returns its next request, which is sent on many connections again and again. */
type Flood = (stranger: Stranger) => Promise<(count: number) => Promise<unknown>>

const FLOODS: Readonly<Record<string, Flood>> = {
  async 'changes of address with the right password'(stranger) {
    const { access } = await register(stranger, 'stranger@example.com')
    return (count) =>
      stranger.post(
        '/me/email',
        { email: `other${count}@example.com`, current_password: PASSWORD },
        { token: access },
      )
  },
  async 'changes of the password and back'(stranger) {
    const { access } = await register(stranger, 'stranger@example.com')
    let password = PASSWORD
    return async (count) => {
      const next = `${PASSWORD} ${count}`
      const passwords = { current_password: password, new_password: next }
      const { status } = await stranger.post('/me/password', passwords, { token: access })
      if (status === 204) password = next
    }
  },
  async 'refreshes of one session'(stranger) {
    const { refresh } = await register(stranger, 'stranger@example.com')
    return () => stranger.post('/auth/refresh', { refresh_token: refresh })
  },
  async 'requests for the documentation'({ url }) {
    const paths = ['/docs/yaml', '/docs/json', '/openapi.json', '/docs']
    return async (count) => {
      const answer = await fetch(`${url}${paths[count % paths.length]}`)
      return answer.arrayBuffer()
    }
  },
}

/** Floods until the customers have done everything, and returns their answers. */
async function walkUnder(flood: Flood, kind: DatabaseKind) {
  await using shop = await startAsInProduction(kind)
  const { url } = shop
  const post: Stranger['post'] = (path, body, sent) =>
    send(url, { path, body, ip: STRANGER, ...sent })
  const next = await flood({ url, smtp: shop.smtp, post })
  // The line is what is short.
  shop.smtp.behave({
    get data() {
      return delay(MAIL_MS)
    },
  })
  const replies: [path: string, reply: Reply][] = []
  let over = false
  let sent = 0
  const flooding = times(CONNECTIONS).map(async () => {
    while (!over) await next(sent++)
  })
  const walking = times(CUSTOMERS).map((number) =>
    walk({
      url,
      smtp: shop.smtp,
      ip: `203.0.113.${number + 1}`,
      email: `customer${number}@example.com`,
      onAnswer: (path, reply) => replies.push([path, reply]),
    }),
  )
  try {
    await Promise.all(walking)
  } finally {
    over = true
    await Promise.allSettled(flooding)
  }
  return { replies, sent }
}

function startAsInProduction(kind: DatabaseKind) {
  return startShop(kind, {
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_PASSES: '2',
    HASH_QUEUE: '32',
    RATE_LIMIT: 'on',
    TRUSTED_PROXIES: '127.0.0.0/8',
  })
}

async function register({ post, smtp }: Stranger, email: string) {
  await post('/auth/signup', { email, password: PASSWORD })
  await smtp.got(1)
  const code = codeIn(smtp.received[0] ?? assert.fail())
  await post('/auth/verify', { email, code })
  const { body } = await post('/auth/login', { email, password: PASSWORD })
  return { access: body.access_token as string, refresh: body.refresh_token as string }
}

for (const kind of ['sqlite', 'postgres'] as const) {
  describe(kind, () => {
    for (const [name, flood] of Object.entries(FLOODS)) {
      test(`${name}: customers of other networks are served, and their mail arrives`, async (t) => {
        const { replies, sent } = await walkUnder(flood, kind)

        const refused = replies.filter(([, reply]) => isRefused(reply))
        t.diagnostic(`${replies.length} answers, ${refused.length} refused, ${sent} of the flood`)
        assert.ok(sent > CONNECTIONS, 'that is no flood')
        assert.ok(
          refused.length <= replies.length * (1 - SERVED_MIN),
          JSON.stringify(refused.slice(0, 20)),
        )
      })
    }
  })
}
