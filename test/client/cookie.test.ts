import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Client, createClient, type Fetch } from '../../client/index.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { fetchWithJar } from '../support/cookie-jar.ts'
import { filesFolder } from '../support/database.ts'
import { PASSWORD } from '../support/service.ts'
import { listen, startShop } from '../support/shop.ts'
import { until } from '../support/until.ts'

const AFTER_ACCESS_MS = 31 * MINUTE_MS

describe('a client in cookie mode', () => {
  test('sends cookies with the login, the refresh and the logout, and with nothing else', async () => {
    await using pages = await startPages()
    const { email } = await pages.shop.addUser()
    const client = pages.open()

    await client.logIn({ email, password: PASSWORD })
    pages.shop.advance(AFTER_ACCESS_MS)
    await client.GET('/me')
    await client.logOut()

    assert.deepEqual(pages.sent, [
      ['/auth/login', 'include', { email, password: PASSWORD, cookie: true }],
      ['/me', 'same-origin', undefined],
      ['/auth/refresh', 'include', { cookie: true }],
      ['/me', 'same-origin', undefined],
      ['/auth/logout', 'include', undefined],
    ])
  })

  test('restores the session by one refresh, and does without where it is signed in', async () => {
    await using pages = await startPages()
    const first = await pages.logIn()
    const told = listen(pages.open())
    const second = pages.open()

    assert.equal((await second.restore()).error, undefined)
    assert.equal((await second.restore()).error, undefined)

    assert.equal(second.signedIn, true)
    assert.equal((await second.GET('/me')).error, undefined)
    assert.equal(pages.shop.refreshTokens.length, 1)
    await until('that an idle tab hears of it', () => told.length === 1)
    assert.equal(first.signedIn, true)
  })

  test('finds no session without a cookie, which is no error and no news', async () => {
    await using pages = await startPages()
    const client = pages.open()
    const told = listen(client)

    assert.equal((await client.restore()).error, undefined)

    assert.equal(client.signedIn, false)
    assert.deepEqual(told, [])
  })

  test('waits with its first requests for the restored session', async () => {
    await using pages = await startPages()
    await pages.logIn()
    const client = pages.open()

    const [, { response }] = await Promise.all([client.restore(), client.GET('/me')])

    assert.equal(response?.status, 200)
  })

  test('restores the session by its first request, and asks once if there is none', async () => {
    await using pages = await startPages()
    const stranger = pages.open()
    assert.equal((await stranger.GET('/me')).error?.code, 'authentication_required')
    assert.equal((await stranger.GET('/me')).error?.code, 'authentication_required')
    assert.deepEqual(
      pages.sent.map(([path]) => path),
      ['/auth/refresh', '/me', '/me'],
    )

    await pages.logIn()
    const client = pages.open()

    assert.equal((await client.GET('/me')).response?.status, 200)
    assert.equal(client.signedIn, true)
  })

  test('looks for no session where none is needed', async () => {
    await using pages = await startPages()

    await pages.open().POST('/auth/password/forgot', { body: { email: 'ann@example.com' } })

    assert.deepEqual(
      pages.sent.map(([path]) => path),
      ['/auth/password/forgot'],
    )
  })

  for (const isSame of [true, false]) {
    const tab = isSame ? 'the same tab' : 'another tab'
    test(`is restored at once after a login in ${tab} that failed`, async () => {
      await using pages = await startPages()
      const { email } = await pages.shop.addUser()
      const { promise: held, resolve: pass } = Promise.withResolvers<void>()
      const first = pages.open((request) =>
        request.url.endsWith('/auth/login') ? held.then(() => fetch(request)) : undefined,
      )
      const loggingIn = first.logIn({ email, password: `not ${PASSWORD}` })
      await until('a login', () => pages.sent.length === 1)
      const restoring = (isSame ? first : pages.open()).restore()
      const startedAt = performance.now()
      pass()

      assert.notEqual((await loggingIn).error, undefined)
      assert.equal((await restoring).error, undefined)

      assert.ok(performance.now() - startedAt < 4_000, 'before it gives up to hear of the other')
      assert.equal(pages.sent.length, 2)
    })
  }

  test('hears nothing in what another version of it says', async () => {
    await using pages = await startPages()
    const client = await pages.logIn()
    const told = listen(client)
    using other = new Channel(`coffee-shop-client ${pages.shop.baseUrl}/api/v1`)

    other.postMessage(null)
    other.postMessage({ atMs: Date.now() + 1, tokens: undefined })

    await until('the message after it', () => told.length === 1)
  })

  test('says that it cannot know without a network', async () => {
    await using pages = await startPages()
    const client = pages.open((request) => fetch(new Request('http://127.0.0.1:1', request)))

    assert.equal((await client.restore()).error?.code, 'unreachable')
  })

  test('refreshes once for twenty tabs, which all get the new access token', async () => {
    await using pages = await startPages()
    await pages.logIn()
    const tabs = Array.from({ length: 20 }, () => pages.open())

    await Promise.all(tabs.map(({ restore }) => restore()))
    assert.equal(pages.shop.refreshTokens.length, 1)
    for (const rounds of [2, 3]) {
      pages.shop.advance(AFTER_ACCESS_MS)
      const answers = await Promise.all(tabs.map(({ GET }) => GET('/me')))

      assert.ok(answers.every(({ response }) => response?.status === 200))
      assert.equal(pages.shop.refreshTokens.length, rounds)
    }
    assert.equal(new Set(pages.shop.refreshTokens).size, 3)
  })

  for (const [what, attempts, isOffline] of [
    ['are not signed in', 1, false],
    ['have no network', 3, true],
  ] as const) {
    test(`asks for one of twenty tabs that ${what}, and all get the answer`, async () => {
      await using pages = await startPages()
      const tabs = Array.from({ length: 20 }, () =>
        pages.open(() => (isOffline ? Promise.reject(new TypeError('offline')) : undefined)),
      )

      const outcomes = await Promise.all(tabs.map(({ restore }) => restore()))

      const code = isOffline ? 'unreachable' : undefined
      assert.ok(outcomes.every(({ error }) => error?.code === code))
      assert.equal(pages.sent.length, attempts)
    })
  }

  test('is signed out in all tabs by a logout in one', async () => {
    await using pages = await startPages()
    const [first, second] = [await pages.logIn(), pages.open()]
    await second.restore()
    const told = listen(second)

    await first.logOut()

    await until('that the other tab hears of it', () => told.length > 0)
    assert.deepEqual(told, [false])
    assert.equal((await second.GET('/me')).error?.code, 'authentication_required')
  })

  test('is told in all tabs as signed out and in when another user logs in in one', async () => {
    await using pages = await startPages()
    const [first, second] = [await pages.logIn(), pages.open()]
    await second.restore()
    const told = listen(second)

    const ben = await pages.shop.addUser('ben@example.com')
    await first.logIn({ email: ben.email, password: PASSWORD })

    await until('that the other tab hears of it', () => told.length > 1)
    assert.deepEqual(told, [false, true])
    assert.equal((await second.GET('/me')).data?.email, ben.email)
  })

  for (const [what, reply] of [
    ['meets no network', () => Promise.reject(new TypeError('offline'))],
    ['meets a 401 of a proxy', async () => new Response('<html>', { status: 401 })],
  ] as const) {
    test(`stays signed in by a logout that ${what}: only the service can end it`, async () => {
      await using pages = await startPages()
      const { email } = await pages.shop.addUser()
      const client = pages.open(({ url }) => (url.endsWith('/auth/logout') ? reply() : undefined))
      await client.logIn({ email, password: PASSWORD })

      assert.equal((await client.logOut()).error?.code, 'unreachable')

      assert.equal(client.signedIn, true)
    })
  }
})

class Channel extends BroadcastChannel {
  [Symbol.dispose]() {
    this.close()
  }
}

/** Pages of one origin, whose clients share a cookie. */
async function startPages() {
  const shop = await startShop()
  const folder = mkdtempSync(join(filesFolder(), 'coffee-shop-pages-'))
  const withJar = fetchWithJar(join(folder, 'cookie'))
  const sent: [path: string, credentials: string, body: unknown][] = []

  function open(instead: (request: Request) => ReturnType<Fetch> | undefined = () => undefined) {
    const fetch = async (request: Request) => {
      const body = await request.clone().text()
      const path = new URL(request.url).pathname.replace('/api/v1', '')
      sent.push([path, request.credentials, body === '' ? undefined : JSON.parse(body)])
      return instead(request) ?? withJar(request)
    }
    return createClient({ baseUrl: shop.baseUrl, cookie: true, fetch })
  }
  async function logIn(): Promise<Client> {
    const { email } = await shop.addUser()
    const client = open()
    assert.equal((await client.logIn({ email, password: PASSWORD })).error, undefined)
    return client
  }

  return {
    shop,
    sent,
    open,
    logIn,
    async [Symbol.asyncDispose]() {
      await shop[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}
