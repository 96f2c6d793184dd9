import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { APP_PATHS } from '../../server/api/public/app-paths.ts'
import { webAppRoute } from '../../server/api/public/web-app.ts'
import { createFastify } from '../../server/http/fastify.ts'
import { assertProblem } from '../support/problem.ts'
import { temporaryFolder } from '../support/process.ts'
import { type Service, startService } from '../support/service.ts'

/** What the first page loads, with its page, in the encoding that browsers choose. */
const FIRST_LOAD_MAX_BYTES = 150 * 1024

const NONCE = /'nonce-([A-Za-z0-9+/]{22}==)'/
const LOADED = /<(?:link|script)[^>]*\b(?:href|src)="([^"]*)"/g

/** What a script loads later, when it is needed. */
const LOADED_LATER = /["'`]\.\/([\w-]+\.(?:js|css))["'`]/g

const filesOf = (page: string) => [...page.matchAll(LOADED)].map(([, to = '']) => to)

describe('the page of the web app', () => {
  let service: Service
  before(async () => void (service = await startService({ PASSWORD_MIN_LENGTH: '11' })))
  after(() => service[Symbol.asyncDispose]())

  for (const path of APP_PATHS) {
    test(`200 for ${path}, kept by nobody, under a policy with nothing unsafe`, async () => {
      const { status, headers, text } = await service.get(path, {
        headers: { accept: 'application/json', 'if-none-match': '*' },
      })

      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.equal(
        headers['content-security-policy']?.replace(NONCE, "'nonce'"),
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default",
      )
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['etag'], undefined)
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
      assert.doesNotMatch(text, /\{\{|<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)|<form/)
    })
  }

  test('has the nonce of its policy, a new one for each response', async () => {
    const answers = [await service.get('/'), await service.get('/')]

    const nonces = answers.map(({ headers, text }) => {
      const [, nonce = ''] = NONCE.exec(headers['content-security-policy'] ?? '') ?? []
      assert.ok(text.includes(`<meta property="csp-nonce" nonce="${nonce}" />`), text)
      return nonce
    })
    assert.notEqual(nonces[0], nonces[1])
  })

  test('says in both languages what to do without scripts', async () => {
    const { text } = await service.get('/reset')

    const [, said = ''] = /<noscript>([^]*)<\/noscript>/.exec(text) ?? []
    assert.match(said, /Enable it, then load the page or open the link again/)
    assert.match(said, /<p lang="de">[^]*Aktivieren Sie es/)
  })

  test('tells the app how long a password has to be, and what the shop is called', async () => {
    const shop = { SHOP_NAME: `<b>&"'$&{{nonce}}`, SHOP_URL: 'https://shop.example/<b>&"' }
    await using named = await startService({ ...shop, DOCS: 'off', PASSWORD_MIN_LENGTH: '16' })

    const { text } = await service.get('/')
    const { text: others } = await named.get('/')

    assert.match(text, /data-min-length="11"\s+data-shop="Coffee Shop"\s+data-shop-url=""/)
    assert.match(text, /data-admin-min-length="15"/)
    assert.match(others, /data-admin-min-length="16"/)
    assert.match(text, /data-docs="on"/)
    assert.match(others, /data-docs=""/)
    assert.ok(others.includes('<title>&lt;b&gt;&amp;&quot;&#39;$&amp;{{nonce}}</title>'), others)
    assert.ok(others.includes('data-shop-url="https://shop.example/&lt;b&gt;&amp;&quot;"'), others)
    assert.doesNotMatch(others, /<b>|Coffee/)
  })

  test('loads its files from below PUBLIC_URL, whatever the page', async () => {
    await using below = await startService({ PUBLIC_URL: 'https://shop.example/accounts' })

    const { text } = await below.get('/console/users/1')

    assert.match(text, /data-base="\/accounts"/)
    const files = filesOf(text)
    assert.ok(files.length >= 3)
    for (const file of files) {
      assert.match(file, /^\/accounts\/assets\/[\w.-]+$/)
      assert.equal((await below.get(file.slice('/accounts'.length))).status, 200)
    }
  })

  test('is the same for every user, and has nothing of the URL in it', async () => {
    const pageAt = async (path: string) => {
      const { status, text } = await service.get(path)
      assert.equal(status, 200, path)
      return text.replaceAll(/nonce="[^"]*"/g, '')
    }

    const expected = await pageAt('/console')

    for (const id of ['1', '0', '-1', '1;x', '1:2', '__proto__', '9'.repeat(2000)])
      for (const query of ['', '?{{nonce}}', '?q=<script>'])
        assert.equal(await pageAt(`/console/users/${id}${query}`), expected, id)
  })

  for (const path of [
    '/sign-in',
    '/reset/',
    '/Reset',
    '/index.html',
    '/sign-up/x',
    '/console/x',
    '/console/',
    '/console//users',
    '/console/users/',
    '/console/users/1/',
    '/console/users/1/x',
    '/console/users/%31',
    '/console/users/%2E%2E',
    '/console/users/1%2F2',
    '/%63onsole',
    '/api/v1/console',
  ]) {
    test(`404 not_found for ${path}, which is no page`, async () =>
      assertProblem(await service.get(path), 'not_found'))
  }

  for (const path of [APP_PATHS[0], '/console/users/1', '/assets/index.js']) {
    test(`405 method_not_allowed for POST ${path}`, async () => {
      const answer = await service.post(path, {})

      assertProblem(answer, 'method_not_allowed')
      assert.equal(answer.headers['allow'], 'GET, HEAD')
    })
  }
})

describe('the files of the web app', () => {
  let service: Service
  let files: string[]
  before(async () => {
    service = await startService()
    files = filesOf((await service.get('/')).text)
  })
  after(() => service[Symbol.asyncDispose]())
  const raw = (url: string, encoding: string) =>
    service.app.inject({ url, headers: { 'accept-encoding': encoding } })

  test('200, kept for good, compressed as the client likes it', async () => {
    for (const file of files) {
      const plain = await raw(file, 'identity')
      for (const [accepted, encoding, decode] of [
        ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
        ['gzip', 'gzip', gunzipSync],
      ] as const) {
        const { statusCode, headers, rawPayload } = await raw(file, accepted)

        assert.equal(statusCode, 200)
        assert.equal(headers['content-encoding'], encoding)
        assert.equal(headers['vary'], 'Accept-Encoding')
        assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
        assert.equal(headers['content-type'], plain.headers['content-type'])
        assert.ok(decode(rawPayload).equals(plain.rawPayload), file)
        assert.ok(rawPayload.length < plain.rawPayload.length, file)
      }
    }
  })

  test('are script, style and icon, and what they load is here, too', async () => {
    const types: string[] = []
    for (const file of files) {
      const { headers, body } = await raw(file, 'identity')
      types.push(String(headers['content-type']))
      assert.doesNotMatch(body, /\burl\((?!data:|#)|@import\b/, file)
    }

    assert.deepEqual(
      [...new Set(types)].toSorted(),
      ['image/svg+xml', 'text/css', 'text/javascript'].map((type) => `${type}; charset=utf-8`),
    )
  })

  test('are there for each script that is loaded later', async () => {
    const found = new Set(files)

    // The set grows meanwhile.
    for (const file of found) {
      const { statusCode, body } = await raw(file, 'identity')
      assert.equal(statusCode, 200, file)
      if (!file.endsWith('.js')) continue
      for (const [, name = ''] of body.matchAll(LOADED_LATER)) found.add(`/assets/${name}`)
    }

    for (const part of ['account', 'console'])
      assert.ok(
        [...found].some((file) => file.startsWith(`/assets/${part}-`)),
        part,
      )
  })

  test('the first load takes at most 150 KiB, all pages of an account included', async () => {
    const sizes = await Promise.all(
      ['/', ...new Set(files)].map(async (file) => (await raw(file, 'br')).rawPayload.length),
    )

    const total = sizes.reduce((sum, size) => sum + size, 0)
    assert.ok(total <= FIRST_LOAD_MAX_BYTES, `${total} bytes`)
    assert.ok(total > FIRST_LOAD_MAX_BYTES / 4, `${total} bytes are too few to be the app`)
  })

  for (const file of ['none.js', 'index.html', 'icon.svg.br', 'licenses.md', '%2E'])
    test(`404 not_found for /assets/${file}`, async () =>
      assertProblem(await service.get(`/assets/${file}`), 'not_found'))
})

describe('without a build', () => {
  test('503 with how to build it for each page, and the API answers', async () => {
    await using service = await startService()
    using folder = temporaryFolder()
    await using app = createFastify(service.ctx)
    webAppRoute(app, service.ctx, { folder: folder.path })

    for (const url of APP_PATHS) {
      const { statusCode, headers, body } = await app.inject({ url })

      assert.equal(statusCode, 503)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/)
      assert.match(body, /The API works\..*<code>npm ci --include=dev<\/code>/)
    }
    assert.equal((await app.inject({ url: '/assets/index.js' })).statusCode, 404)
  })

  test('npm run dev serves the newest build, all else the one that it found first', async () => {
    await using service = await startService()
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'assets'))
    const build = (text: string) => writeFileSync(join(folder.path, 'index.html'), text)
    await using dev = createFastify(service.ctx)
    await using started = createFastify(service.ctx)
    webAppRoute(dev, service.ctx, { folder: folder.path, isRebuilt: true })
    webAppRoute(started, service.ctx, { folder: folder.path })
    const seen = async () =>
      (await Promise.all([dev, started].map((app) => app.inject('/')))).map(({ body }) => body)

    build('first')
    const before = await seen()
    build('second')

    assert.deepEqual(before, ['first', 'first'])
    assert.deepEqual(await seen(), ['second', 'first'])
  })
})
