import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { runOn } from '../support/process.ts'
import { countHashes } from '../support/hashes.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { FETCH_HEADERS, type Reply } from '../support/http-server.ts'
import { times, turns } from '../support/races.ts'
import { ranges, sha1, startRangeServer } from '../support/range-server.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const SIGNUP = '/api/v1/auth/signup'
const LEAKED = 'tr0ub4dor&3 and more'
const OTHER = 'never seen anywhere yet'

const signUp = (service: Service, password: string, email = 'ann@example.com') =>
  service.post(SIGNUP, { email, password })

async function start(reply: Reply) {
  const list = await startRangeServer(reply)
  const service = await startService({ PWNED_PASSWORDS_URL: list.url })
  return {
    list,
    service,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await list[Symbol.asyncDispose]()
    },
  }
}

const warnings = ({ logged }: Service) =>
  logged.filter((line) => line.includes('passwords accepted without a check for leaks'))

describe('a password that has leaked', () => {
  let service: Service
  let list: Awaited<ReturnType<typeof startRangeServer>>
  before(async () => {
    list = await startRangeServer(
      ranges([OTHER, 3], [LEAKED, 1], ['café au lait', 9], [PASSWORD, 0]),
    )
    service = await startService({ PWNED_PASSWORDS_URL: list.url })
  })
  after(async () => {
    await service[Symbol.asyncDispose]()
    await list[Symbol.asyncDispose]()
  })

  test('422 blocklisted with a reason of its own, and no hash is computed', async () => {
    const counts = countHashes(service)

    const answer = await signUp(service, LEAKED)

    assertInvalid(answer, '/password', 'blocklisted')
    const [error] = answer.body.errors
    assert.equal(error.detail, 'The password appears in known data breaches; choose another.')
    assert.deepEqual(counts, { made: 0, verified: 0 })
  })

  test('of it five hex digits leave the process, and nothing else that tells it', async () => {
    list.asked.length = 0
    await signUp(service, LEAKED)

    const [asked, ...more] = list.asked
    assert.deepEqual(more, [])
    assert.equal(asked?.method, 'GET')
    assert.equal(asked.url, `/range/${sha1(LEAKED).slice(0, 5)}`)
    assert.equal(asked.body, '')
    const { host, ...headers } = asked.headers
    assert.deepEqual(headers, {
      ...FETCH_HEADERS,
      'add-padding': 'true',
      'user-agent': 'coffee-shop-api',
      accept: 'text/plain',
      connection: 'close',
    })
    assert.match(host ?? '', /^127\.0\.0\.1:[0-9]+$/)
  })

  test('422 for its other normal form: what is hashed is what is asked for', async () => {
    assertInvalid(await signUp(service, 'cafe\u0301 au lait'), '/password', 'blocklisted')
  })

  test('422 at a change, which then changes nothing', async () => {
    const ann = await service.addUser()
    const body = { current_password: PASSWORD, new_password: LEAKED }

    const answer = await service.post('/api/v1/me/password', body, { token: ann.access })

    assertInvalid(answer, '/new_password', 'blocklisted')
    await service.logIn(ann.email)
  })

  test('refused for a user made by the command line', async () => {
    const settings = { PWNED_PASSWORDS_URL: list.url }
    const args = ['users', 'create', 'ann@example.com']

    const refused = await runOn(service, args, { input: LEAKED, settings })

    assert.equal(refused.exitCode, 1)
    assert.match(refused.stderr, /appears in known data breaches/)
  })

  test('is not looked up for a login, nor where the password is refused without', async () => {
    const ann = await service.addUser()
    const before = list.asked.length

    await service.logIn(ann.email)
    await signUp(service, 'password123')
    await signUp(service, 'short')

    assert.equal(list.asked.length, before)
  })

  test('is looked up for a registered address, too: nothing tells it from another', async () => {
    const { email: registered } = await service.addUser()

    for (const email of [registered, 'bob@example.com'])
      assertInvalid(await signUp(service, LEAKED, email), '/password', 'blocklisted')
  })
})

describe('a password that is on no list', () => {
  for (const [why, reply] of [
    ['is missing', ranges([OTHER, 12])],
    ['is padding, which counts nothing', ranges([OTHER, 12], [LEAKED, 0])],
    ['meets an empty list', ranges()],
  ] as const) {
    test(`201 when it ${why}`, async () => {
      await using all = await start(reply)

      assert.equal((await signUp(all.service, LEAKED)).status, 201)
      assert.equal(all.service.ctx.pwnedPasswords.unanswered(), 0)
    })
  }

  test('201 without a list: nobody is asked', async () => {
    await using service = await startService()
    assert.equal((await signUp(service, LEAKED)).status, 201)
    assert.equal(service.ctx.pwnedPasswords.unanswered(), 0)
  })
})

const hit = `${sha1(LEAKED).slice(5)}:1\r\n`
const elsewhere = { location: 'http://127.0.0.1:9/' }

describe('a list that does not answer stops no sign-up', () => {
  for (const [why, reply] of [
    ['is out of order', (response) => response.writeHead(500).end(hit)],
    ['asks for less', (response) => response.writeHead(429).end(hit)],
    ['has moved', (response) => response.writeHead(302, elsewhere).end(hit)],
    ['sends the page of a hotel', (response) => response.writeHead(200).end(`<html>\n${hit}`)],
    ['hangs up', (response) => response.destroy()],
    [
      'sends less than it said',
      (response) => {
        response.writeHead(200, { 'content-length': 4000 }).write(`${sha1(OTHER).slice(5)}:1\r\n`)
        setImmediate(() => response.destroy())
      },
    ],
    [
      'sends more than any list has',
      (response) => response.writeHead(200).end(`${'A'.repeat(35)}:1\r\n`.repeat(8000) + hit),
    ],
  ] satisfies [string, Reply][]) {
    test(`201 when it ${why}: counted, and logged without the password`, async () => {
      await using all = await start(reply)

      assert.equal((await signUp(all.service, LEAKED)).status, 201)

      assert.equal(all.service.ctx.pwnedPasswords.unanswered(), 1)
      const [line = '', ...more] = warnings(all.service)
      assert.deepEqual(more, [])
      assert.doesNotMatch(line, new RegExp(`${sha1(LEAKED).slice(0, 5)}|${LEAKED}`))
    })
  }

  test('201 when nobody listens; many such sign-ups are one line', async () => {
    const list = await startRangeServer(ranges())
    await list[Symbol.asyncDispose]()
    await using service = await startService({ PWNED_PASSWORDS_URL: list.url })

    for (const name of ['ann', 'bob', 'eve'])
      assert.equal((await signUp(service, LEAKED, `${name}@example.com`)).status, 201)

    assert.equal(service.ctx.pwnedPasswords.unanswered(), 3)
    assert.equal(warnings(service).length, 1)
  })

  test('true in time: a list that hangs costs a second, and no more than twenty connections', async () => {
    await using all = await start(() => undefined)
    const { pwnedPasswords } = all.service.ctx
    const startedMs = performance.now()

    const found = await Promise.all(times(30).map((n) => pwnedPasswords.includes(`${OTHER} ${n}`)))

    const tookMs = performance.now() - startedMs
    assert.ok(tookMs > 900, `${tookMs} ms`)
    assert.ok(found.every((one) => !one))
    assert.equal(all.list.asked.length, 20)
    assert.equal(pwnedPasswords.unanswered(), 30)
  })

  test('201 beyond 15 questions of a network in ten minutes; others go on asking', async () => {
    await using all = await start(ranges([LEAKED, 1]))
    const { service, list } = all
    const flood = { ip: '198.51.100.1' }
    const send = (n: number, ip?: string) => {
      const body = { email: `ann${n}@example.com`, password: LEAKED }
      return service.post(SIGNUP, body, ip === undefined ? {} : { ip })
    }
    for (let n = 0; n < 15; n++) assertInvalid(await send(n, flood.ip), '/password', 'blocklisted')

    const beyond = await send(15, flood.ip)
    const elsewhere = await send(16)
    const asked = list.asked.length
    service.advance(10 * MINUTE_MS)
    const later = await send(17, flood.ip)

    assert.equal(beyond.status, 201)
    assertInvalid(elsewhere, '/password', 'blocklisted')
    assert.deepEqual([asked, service.ctx.pwnedPasswords.unanswered()], [16, 1])
    assert.equal(warnings(service).length, 1)
    assertInvalid(later, '/password', 'blocklisted')
  })

  test('403 before anybody is asked, for who does not know the current password', async () => {
    await using all = await start(ranges([LEAKED, 1]))
    const ann = await all.service.addUser()
    const before = all.list.asked.length
    const body = { current_password: 'not it, sorry', new_password: LEAKED }

    const answer = await all.service.post('/api/v1/me/password', body, { token: ann.access })

    assertProblem(answer, 'wrong_password')
    assert.equal(all.list.asked.length, before)
  })

  test('422 for others while one network floods a list that hangs', async () => {
    let hanging = 0
    await using all = await start((response) => {
      const answered = [PASSWORD, LEAKED].map((password) => sha1(password).slice(0, 5))
      if (answered.some((prefix) => response.req.url?.endsWith(prefix)))
        ranges([LEAKED, 1])(response)
      else hanging++
    })
    const { service } = all
    const users = await Promise.all(times(25).map(() => service.addUser()))
    const flood = users.map(({ access: token }, n) => {
      const body = { current_password: PASSWORD, new_password: `${OTHER} ${n}` }
      return service.post('/api/v1/me/password', body, { token, ip: '198.51.100.1' })
    })
    let answered = 0
    for (const one of flood) void one.then(() => answered++)
    // Fifteen hang; the others are not looked up, though twenty may ask at once.
    while (hanging < 15 || answered < 10) await turns(1)

    const answer = await signUp(service, LEAKED)

    assertInvalid(answer, '/password', 'blocklisted')
    assert.deepEqual(
      new Set((await Promise.all(flood)).map(({ status }) => status)),
      new Set([204]),
    )
  })

  test('writes go on while it is asked: no transaction is open', async () => {
    let renamed: number | undefined
    let rename: (() => Promise<void>) | undefined
    await using all = await start(async (response) => {
      await rename?.()
      ranges()(response)
    })
    const { service } = all
    const ann = await service.addUser()
    rename = async () => {
      const answer = await service.patch('/api/v1/me', { full_name: 'A' }, { token: ann.access })
      renamed = answer.status
    }

    const answer = await signUp(service, OTHER, 'bob@example.com')

    assert.deepEqual([answer.status, renamed], [201, 200])
  })
})
