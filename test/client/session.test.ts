import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '../../client/index.ts'
import { DAY_MS, MINUTE_MS } from '../../server/lib/units.ts'
import { PASSWORD } from '../support/service.ts'
import { listen, signIn, startShop, storeOf, tokensOf } from '../support/shop.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const AFTER_ACCESS_MS = 31 * MINUTE_MS
const LOG_OUT = 'POST /auth/logout'
const REFRESH = 'POST /auth/refresh'

describe('a session of the client', () => {
  test('begins with a login, and ends with a logout that ends it at the service, too', async () => {
    await using shop = await startShop()
    const { client, email, told } = await signIn(shop)
    assert.equal(client.signedIn, true)
    assert.equal((await client.GET('/me')).data?.email, email)
    const { access: token } = await shop.logIn(email)
    const sessions = async () => (await shop.get('/me/sessions', { token })).body.length
    const before = await sessions()

    assert.equal((await client.logOut()).error, undefined)

    assert.equal(client.signedIn, false)
    assert.deepEqual(told, [true, false])
    assert.equal((await client.GET('/me')).error?.code, 'authentication_required')
    assert.equal(await sessions(), before - 1)
  })

  test('is not begun by a wrong password: an error is a value', async () => {
    await using shop = await startShop()
    const { email } = await shop.addUser()
    const client = createClient({ baseUrl: shop.baseUrl })

    const { error } = await client.logIn({ email, password: `not ${PASSWORD}` })

    assert.equal(error?.code, 'invalid_credentials')
    assert.equal(client.signedIn, false)
  })

  test('is refreshed once by fifty requests that are refused at the same time', async () => {
    await using shop = await startShop()
    const { client, told } = await signIn(shop)
    shop.advance(AFTER_ACCESS_MS)

    const answers = await Promise.all(Array.from({ length: 50 }, () => client.GET('/me')))

    assert.ok(answers.every(({ error }) => error === undefined))
    assert.equal(shop.asked.filter((one) => one === REFRESH).length, 1)
    assert.deepEqual(told, [true])
  })

  test('is refreshed once, before fifty requests whose access token is about to expire', async () => {
    await using shop = await startShop()
    const store = storeOf(tokensOf(await shop.addUser(), 9_000))
    const client = createClient({ baseUrl: shop.baseUrl, tokens: store })

    const answers = await Promise.all(Array.from({ length: 50 }, () => client.GET('/me')))

    assert.ok(answers.every(({ response }) => response?.status === 200))
    assert.equal(shop.asked[0], REFRESH)
    assert.equal(shop.asked.filter((one) => one === REFRESH).length, 1)
  })

  test('repeats a request that is not idempotent after 401, which did nothing', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop)
    shop.advance(AFTER_ACCESS_MS)

    const { data } = await client.PATCH('/me', { body: { full_name: 'Ann Lee' } })

    assert.equal(data?.full_name, 'Ann Lee')
  })

  test('keeps the new pair before any request uses it', async () => {
    await using shop = await startShop()
    const store = storeOf(tokensOf(await shop.addUser(), 0))
    const sent: (string | undefined)[] = []
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: store,
      fetch: (request) => {
        if (request.url.endsWith('/me')) {
          assert.equal(request.headers.get('authorization'), `Bearer ${store.kept?.accessToken}`)
          sent.push(store.kept?.refreshToken)
        }
        return fetch(request)
      },
    })
    const before = store.kept?.refreshToken

    await Promise.all([client.GET('/me'), client.GET('/me')])

    assert.equal(sent.length, 2)
    assert.ok(sent.every((token) => token !== before))
  })

  test('never presents a refresh token that was replaced', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop)

    for (let round = 0; round < 5; round++) {
      shop.advance(AFTER_ACCESS_MS)
      await Promise.all([client.GET('/me'), client.GET('/me/sessions'), client.GET('/me')])
    }

    assert.equal(shop.refreshTokens.length, 5)
    assert.equal(new Set(shop.refreshTokens).size, 5)
  })

  test('survives a refresh whose answer is lost: it asks again, and gets the same successor', async () => {
    await using shop = await startShop()
    await using network = await startTcpProxy(shop.baseUrl)
    const store = storeOf(tokensOf(await shop.addUser(), 0))
    const client = createClient({ baseUrl: network.url, tokens: store })
    const told = listen(client)
    network.cutAnswersAfter(20)

    const asking = client.GET('/me')
    await until('an answer that is cut off', () => network.cuts() > 0)
    network.heal()

    assert.equal((await asking).response?.status, 200)
    assert.deepEqual(told, [true])
    assert.ok(shop.refreshTokens.length > 1)
    assert.equal(new Set(shop.refreshTokens).size, 1)
    shop.advance(AFTER_ACCESS_MS)
    assert.equal((await client.GET('/me')).response?.status, 200)
  })

  test('survives being offline: requests share the attempts and are unreachable, the session stays', async () => {
    await using shop = await startShop()
    const before = tokensOf(await shop.addUser(), 0)
    const store = storeOf(before)
    let isOffline = true
    let attempts = 0
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: store,
      fetch: (request) => {
        if (!isOffline) return fetch(request)
        attempts++
        return fetch(new Request('http://127.0.0.1:1', request))
      },
    })
    const told = listen(client)

    const answers = await Promise.all(Array.from({ length: 10 }, () => client.GET('/me')))
    assert.ok(answers.every(({ error }) => error?.code === 'unreachable'))
    assert.ok(answers.every(({ response }) => response === undefined))
    assert.equal(attempts, 3)
    assert.deepEqual(store.kept, before)
    assert.equal(client.signedIn, true)

    isOffline = false
    assert.equal((await client.GET('/me')).response?.status, 200)
    assert.deepEqual(told, [true])
  })

  for (const [what, status, body, attempts] of [
    ['a page of a proxy', 401, '<html>Log in to the proxy</html>', 3],
    ['no tokens', 200, '{"ok":true}', 1],
    ['no JSON object', 200, 'null', 1],
    ['a token of another kind', 200, '{"access_token":"x","expires_in":60}', 1],
    ['no lifetime', 200, `{"access_token":"e30.${btoa('{"sid":"x"}')}.","token":"x"}`, 1],
  ] as const) {
    test(`survives a refresh that something in between answers with ${what}`, async () => {
      await using shop = await startShop()
      const before = tokensOf(await shop.addUser(), 0)
      const store = storeOf(before)
      let left: number = attempts
      const client = createClient({
        baseUrl: shop.baseUrl,
        tokens: store,
        fetch: async (request) => (left-- > 0 ? new Response(body, { status }) : fetch(request)),
      })

      const { error } = await client.GET('/me')

      assert.equal(error?.code, 'unreachable')
      assert.deepEqual(store.kept, before)
      assert.equal(client.signedIn, true)
      assert.equal((await client.GET('/me')).response?.status, 200)
    })
  }

  test('ends at the service when another one begins', async () => {
    await using shop = await startShop()
    const { client, email } = await signIn(shop)
    const { access: token } = await shop.logIn(email)
    const sessions = async () => (await shop.get('/me/sessions', { token })).body.length
    const before = await sessions()

    await client.logIn({ email, password: PASSWORD })

    await until('that the first one is over', async () => (await sessions()) === before)
    assert.equal((await client.GET('/me')).response?.status, 200)
  })

  test('goes on although a listener throws, which the others do not notice', async () => {
    const code = `
      import { createClient } from './client/index.ts'
      process.on('uncaughtException', (error) => console.log(error.message))
      const accessToken = 'e30.' + btoa('{"sid":"x"}') + '.'
      const tokens = { accessToken, refreshToken: 'y', expiresAtMs: Date.now() + 60_000 }
      const store = { get: () => tokens, set() {}, clear() {} }
      const client = createClient({ baseUrl: 'http://127.0.0.1:1', tokens: store })
      client.subscribe(() => { throw new Error('of the listener') })
      client.subscribe((signedIn) => console.log(signedIn))
      console.log((await client.restore()).error)`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      code,
    ])
    assert.deepEqual(stdout.trim().split('\n').toSorted(), ['of the listener', 'true', 'undefined'])
  })

  test('is told once as signed out when its refresh is refused, however many requests met that', async () => {
    await using shop = await startShop()
    const { client, email, told } = await signIn(shop)
    const { access } = await shop.logIn(email)
    await shop.delete('/me/sessions', { token: access })

    const answers = await Promise.all(Array.from({ length: 20 }, () => client.GET('/me')))

    assert.ok(answers.every(({ error }) => error?.status === 401))
    assert.deepEqual(told, [true, false])
    assert.equal(shop.asked.filter((one) => one === REFRESH).length, 1)
    await client.GET('/me')
    assert.equal(shop.asked.filter((one) => one === REFRESH).length, 1)
  })

  test('ends with its absolute lifetime', async () => {
    await using shop = await startShop()
    const { client, told } = await signIn(shop)
    shop.advance(31 * DAY_MS)

    assert.equal((await client.GET('/me')).error?.code, 'invalid_token')

    assert.deepEqual(told, [true, false])
  })

  test('is not brought back by a refresh that was on its way when it ended', async () => {
    await using shop = await startShop()
    const { store, client, told, passed, refreshing } = await holdRefresh(shop)

    await client.logOut()
    passed()
    await refreshing

    assert.equal(store.kept, undefined)
    assert.deepEqual(told, [true, false])
    assert.ok(shop.asked.includes(LOG_OUT))
  })

  test('is not overwritten by a refresh of the session before', async () => {
    await using shop = await startShop()
    const ben = await shop.addUser('ben@example.com')
    const { client, passed, refreshing, told } = await holdRefresh(shop)

    await client.logIn({ email: ben.email, password: PASSWORD })
    passed()
    await refreshing

    assert.equal((await client.GET('/me')).data?.email, ben.email)
    // What was shown of one user goes before the other one comes.
    assert.deepEqual(told, [true, false, true])
  })

  test('does not wait for a refresh of the session before', async () => {
    await using shop = await startShop()
    const ben = await shop.addUser('ben@example.com')
    const { client, passed, refreshing } = await holdRefresh(shop)
    await client.logIn({ email: ben.email, password: PASSWORD })

    const { data } = await client.GET('/me')
    passed()

    assert.equal(data?.email, ben.email)
    assert.equal((await refreshing).error?.status, 401)
  })

  test('ends without a request of its user being sent for another, who logged in meanwhile', async () => {
    await using shop = await startShop()
    const [ann, ben] = [await shop.addUser(), await shop.addUser()]
    const store = storeOf(tokensOf(ann))
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: store,
      fetch: async (request) => {
        const response = await fetch(request)
        const { access, refresh } = await shop.logIn(ben.email)
        store.kept = tokensOf({ ...ben, access, refresh })
        return response
      },
    })
    shop.advance(AFTER_ACCESS_MS)

    const { error } = await client.PATCH('/me', { body: { full_name: 'Ann Lee' } })

    assert.equal(error?.code, 'invalid_token')
    assert.equal(shop.asked.filter((one) => one === 'PATCH /me').length, 0)
    assert.equal((await client.GET('/me')).data?.full_name, null)
  })

  test('is found in the store by restore, and is told as another when another user is in it', async () => {
    await using shop = await startShop()
    const [ann, ben] = [await shop.addUser(), await shop.addUser()]
    const store = storeOf(tokensOf(ann))
    const client = createClient({ baseUrl: shop.baseUrl, tokens: store })
    const told = listen(client)
    assert.equal(client.signedIn, false)
    assert.equal(client.sessionId, undefined)

    assert.equal((await client.restore()).error, undefined)
    assert.equal(client.signedIn, true)
    const first = client.sessionId
    store.kept = tokensOf(ben)
    await client.restore()

    assert.deepEqual(told, [true, false, true])
    // To React, which looks when both calls are over, only this is a change.
    assert.notEqual(client.sessionId, first)
    assert.equal(typeof client.sessionId, 'string')
    assert.deepEqual(shop.asked, [])
  })

  test('stays in the store of nobody after a logout without a network, which says so', async () => {
    await using shop = await startShop()
    const store = storeOf(tokensOf(await shop.addUser()))
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: store,
      fetch: (request) => fetch(new Request('http://127.0.0.1:1', request)),
    })

    const { error } = await client.logOut()

    assert.equal(error?.code, 'unreachable')
    assert.equal(store.kept, undefined)
  })
})

/** A client whose refresh has reached the service, and whose answer waits until `passed`. */
async function holdRefresh(shop: Awaited<ReturnType<typeof startShop>>) {
  const store = storeOf(tokensOf(await shop.addUser(), 0))
  const { promise: held, resolve: passed } = Promise.withResolvers<void>()
  const client = createClient({
    baseUrl: shop.baseUrl,
    tokens: store,
    fetch: async (request) => {
      const response = await fetch(request)
      if (request.url.endsWith('/auth/refresh')) await held
      return response
    },
  })
  const told = listen(client)
  const refreshing = client.GET('/me')
  await until('a refresh', () => shop.asked.includes(REFRESH))
  return { store, client, told, passed, refreshing }
}
