import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClient, type Tokens } from '../../client/index.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { PASSWORD } from '../support/service.ts'
import { startShop, storeOf, tokensOf } from '../support/shop.ts'

const AFTER_ACCESS_MS = 31 * MINUTE_MS

describe('a store of tokens', () => {
  test('that fails to keep the new pair is asked again by the next request: no token is sent twice', async () => {
    await using shop = await startShop()
    const full = new Error('the disk is full')
    const store = storeOf(tokensOf(await shop.addUser(), 0))
    let failures = 2
    const set = (tokens: Tokens) => (failures-- > 0 ? Promise.reject(full) : store.set(tokens))
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: { get: () => store.get(), clear: () => store.clear(), set },
    })

    await assert.rejects(client.GET('/me'), full)
    await assert.rejects(client.GET('/me'), full)

    assert.equal((await client.GET('/me')).response?.status, 200)
    shop.advance(AFTER_ACCESS_MS)
    assert.equal((await client.GET('/me')).response?.status, 200)
    assert.equal(new Set(shop.refreshTokens).size, 2)
    assert.equal(shop.refreshTokens.length, 2)
  })

  test('that fails to keep the new pair can still be cleared by a logout', async () => {
    await using shop = await startShop()
    const full = new Error('the disk is full')
    const store = storeOf(tokensOf(await shop.addUser(), 0))
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: {
        get: () => store.get(),
        clear: () => store.clear(),
        set: () => Promise.reject(full),
      },
    })
    await assert.rejects(client.GET('/me'), full)

    assert.equal((await client.logOut()).error, undefined)

    assert.equal(store.kept, undefined)
    assert.equal((await client.GET('/me')).error?.code, 'authentication_required')
  })

  test('that has something else has nobody’s session, until the next login', async () => {
    await using shop = await startShop()
    const { email } = await shop.addUser()
    for (const garbage of [{}, 'text', { accessToken: 'x', refreshToken: 'y', expiresAtMs: 1 }]) {
      const store = storeOf(garbage as Tokens)
      const client = createClient({ baseUrl: shop.baseUrl, tokens: store })

      assert.equal((await client.restore()).error, undefined)
      assert.equal((await client.GET('/me')).error?.code, 'authentication_required')
      assert.equal(client.signedIn, false)

      await client.logIn({ email, password: PASSWORD })
      assert.equal((await client.GET('/me')).response?.status, 200)
    }
  })
})
