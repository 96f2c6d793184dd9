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

  test('stays signed in by a logout that does not reach the service, which alone can end it', async () => {
    await using pages = await startPages()
    const { email } = await pages.shop.addUser()
    const client = pages.open((request) =>
      request.url.endsWith('/auth/logout') ? Promise.reject(new TypeError('offline')) : undefined,
    )
    await client.logIn({ email, password: PASSWORD })

    assert.equal((await client.logOut()).error?.code, 'unreachable')

    assert.equal(client.signedIn, true)
  })
})

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
