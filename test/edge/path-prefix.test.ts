import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { failedMail } from '../support/mailers.ts'
import { type Service, startService, type TestUser } from '../support/service.ts'

const PUBLIC_URL = 'https://shop.example/accounts'

// test/slow/caddy.test.ts tries the same with a browser, through a proxy.

describe('behind a proxy that strips the path of PUBLIC_URL', () => {
  let service: Service
  let admin: TestUser
  before(async () => {
    service = await startService({ PUBLIC_URL })
    admin = await service.addAdmin()
    // Two of each: users, mails and events.
    await failedMail(service, 'ann@example.com')
    await failedMail(service, 'bob@example.com')
  })
  after(() => service[Symbol.asyncDispose]())

  /** As the proxy passes it on. */
  const get = (url: URL) => {
    assert.ok(url.href.startsWith(`${PUBLIC_URL}/`) || url.href === PUBLIC_URL, url.href)
    const path = url.pathname.slice('/accounts'.length) || '/'
    return service.get(path + url.search, { token: admin.access })
  }

  for (const list of ['users', 'mail', 'audit']) {
    for (const prefix of ['/api/v1', '']) {
      test(`Link leads to the next page of ${prefix}/${list}`, async () => {
        const url = new URL(`${PUBLIC_URL}${prefix}/${list}?limit=1`)
        const first = await get(url)
        const [, target = ''] = /^<([^>]*)>; rel="next"$/.exec(first.headers['link'] ?? '') ?? []

        const second = await get(new URL(target, url))

        assert.equal(second.status, 200)
        assert.equal(second.body.length, 1)
        assert.notDeepEqual(second.body, first.body)
      })
    }
  }

  for (const page of ['', '/', '/reset', '/console/users/1', '/docs', '/docs/']) {
    test(`${page} links and loads what is there`, async () => {
      const url = new URL(PUBLIC_URL + page)
      const { text, status } = await get(url)
      const links = [...text.matchAll(/<(?:link|img|script|a)[^>]*\b(?:href|src)="([^"]*)"/g)]

      assert.equal(status, 200)
      assert.ok(links.length >= 3)
      for (const [, to = ''] of links) assert.equal((await get(new URL(to, url))).status, 200, to)
    })
  }

  test('the OpenAPI document names the server and the login as the client sees them', async () => {
    const url = new URL(`${PUBLIC_URL}/openapi.json`)
    const { servers, components } = (await get(url)).body

    const { tokenUrl } = components.securitySchemes.password.flows.password
    assert.equal(new URL(servers[0].url, url).href, PUBLIC_URL)
    assert.equal(new URL(tokenUrl, url).href, `${PUBLIC_URL}/api/v1/auth/login`)
  })
})
