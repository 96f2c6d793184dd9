import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { assertProblem } from '../support/problem.ts'
import { type Service, startService } from '../support/service.ts'

const IMMUTABLE = 'public, max-age=31536000, immutable'

describe('GET /docs and what it loads', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  /** The URLs of the files that a page loads, as a browser resolves them. */
  async function filesOf(page: string): Promise<string[]> {
    const { text } = await service.get(page)
    return [...text.matchAll(/<(?:link|img|script)[^>]*\b(?:href|src)="([^"]*)"/g)].map(
      ([, to = '']) => {
        const { pathname, search } = new URL(to, `http://shop.example${page}`)
        return pathname + search
      },
    )
  }
  const raw = (url: string, encoding: string) =>
    service.app.inject({ url, headers: { 'accept-encoding': encoding } })

  test('both spellings load the same files, by links that hold below any prefix', async () => {
    const files = await filesOf('/docs')

    assert.equal(files.length, 5)
    assert.deepEqual(await filesOf('/docs/'), files)
    for (const page of ['/docs', '/docs/'])
      assert.doesNotMatch((await service.get(page)).text, /(?:href|src)="(?:\/|https?:)|<style/)
  })

  test('200 for each file, kept for good under its version and under no other', async () => {
    for (const file of await filesOf('/docs')) {
      const [path = '', version = ''] = file.split('?v=')
      const [exact, older, bare] = [
        await service.get(file),
        await service.get(`${path}?v=${version.toUpperCase()}x`),
        await service.get(path),
      ]
      assert.equal(exact.status, 200, file)
      assert.equal(exact.headers['cache-control'], IMMUTABLE, file)
      for (const answer of [older, bare]) {
        assert.equal(answer.text, exact.text)
        assert.equal(answer.headers['cache-control'], 'no-cache')
      }
    }
  })

  test('404 not_found for the routes and files of the plugin that the page does not load', async () => {
    for (const path of [
      '/docs/json',
      '/docs/yaml',
      '/docs/static/index.html',
      '/docs/static/swagger-initializer.js',
      '/docs/static/swagger-ui.js',
      '/docs/static/oauth2-redirect.html',
      '/docs/static/',
      '/docs/static',
    ])
      assertProblem(await service.get(path), 'not_found')
  })

  for (const [accepted, encoding] of [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, br', 'br'],
    ['GZIP;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br; q=0.000, gzip;q=0', undefined],
    ['identity', undefined],
    ['zstd', undefined],
    ['', undefined],
    ['brx, xgzip', undefined],
  ] as const) {
    test(`200 as ${encoding ?? 'it is'} for who accepts “${accepted}”`, async () => {
      for (const url of ['/openapi.json', '/docs', '/docs/static/swagger-ui.css']) {
        const plain = await raw(url, 'identity')

        const { headers, rawPayload } = await raw(url, accepted)

        assert.equal(headers['content-encoding'], encoding)
        assert.equal(headers['vary'], 'Accept-Encoding')
        assert.equal(headers['content-type'], plain.headers['content-type'])
        assert.equal(headers['content-length'], String(rawPayload.length))
        assert.ok(decoded(rawPayload, encoding).equals(plain.rawPayload), url)
        if (encoding !== undefined) assert.ok(rawPayload.length < plain.rawPayload.length, url)
      }
    })
  }

  for (const url of ['/openapi.json', '/docs', '/docs/', '/docs/static/swagger-ui-bundle.js']) {
    test(`304 for who has ${url} in the same encoding, and 200 for others`, async () => {
      const { headers } = await raw(url, 'br')
      const tag = String(headers['etag'])
      assert.match(tag, /^"[^"]+"$/)
      assert.equal(headers['cache-control'], 'no-cache')
      assert.equal(headers['last-modified'], undefined)

      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const answer = await service.app.inject({
          url,
          headers: { 'accept-encoding': 'br', 'if-none-match': known },
        })
        assert.equal(answer.statusCode, 304, known)
        assert.equal(answer.body, '')
        for (const name of ['etag', 'vary', 'cache-control'])
          assert.equal(answer.headers[name], headers[name])
      }
      for (const encoding of ['gzip', 'identity']) {
        const answer = await service.app.inject({
          url,
          headers: { 'accept-encoding': encoding, 'if-none-match': tag },
        })
        assert.equal(answer.statusCode, 200)
        assert.notEqual(answer.headers['etag'], tag)
      }
    })
  }

  test('names both what varies where other origins may read', async () => {
    await using other = await startService({ CORS_ORIGINS: 'https://app.example.com' })
    const headers = { origin: 'https://app.example.com' }

    const answer = await other.get('/openapi.json', { headers })

    assert.equal(answer.headers['vary'], 'Origin, Accept-Encoding')
    assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example.com')
  })
})

describe('DOCS=off', () => {
  const PATHS = ['/docs', '/docs/', '/docs/static/swagger-ui-bundle.js', '/openapi.json']

  test('404 not_found for the documentation and its files, as for unknown paths', async () => {
    await using service = await startService({ DOCS: 'off' })

    for (const path of PATHS) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const answer = await service.request(method, path)
        assert.equal(answer.status, 404, `${method} ${path}`)
        assert.equal(answer.headers['allow'], undefined)
      }
      assertProblem(await service.get(path), 'not_found')
    }
  })
})

function decoded(body: Buffer, encoding: 'br' | 'gzip' | undefined): Buffer {
  if (encoding === undefined) return body
  return encoding === 'br' ? brotliDecompressSync(body) : gunzipSync(body)
}
