import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Service, startService } from '../support/service.ts'

/** What a page may load and send, and to whom. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
const FILES = {
  '/': 'text/html',
  '/reset': 'text/html',
  '/reset/icon.svg': 'image/svg+xml',
  '/reset/page.css': 'text/css',
  '/reset/page.js': 'text/javascript',
  '/reset/texts.js': 'text/javascript',
} as const

/** Not a name that the compiler would follow: the page's files are the browser's. */
const WORDS: string = '../../server/api/public/pages/texts.js'
type Words = Record<string, unknown>

describe('GET / and GET /reset', () => {
  let service: Service
  const answers: Record<string, Answer> = {}
  before(async () => {
    service = await startService({ PASSWORD_MIN_LENGTH: '11' })
    for (const url of Object.keys(FILES)) answers[url] = await service.get(url)
  })
  after(() => service[Symbol.asyncDispose]())
  const textOf = (url: keyof typeof FILES) => answers[url]?.text ?? ''

  for (const [url, type] of Object.entries(FILES)) {
    test(`200 ${type} for ${url}, kept by nobody, with a policy of its own`, () => {
      const answer = answers[url]
      assert.ok(answer)
      const { status, headers } = answer
      assert.equal(status, 200)
      assert.equal(headers['content-type'], `${type}; charset=utf-8`)
      assert.equal(headers['content-security-policy'], CSP)
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
      assert.equal(headers['x-content-type-options'], 'nosniff')
    })
  }

  test('the pages load these files and no other, by links that hold below any prefix', () => {
    const scripts = [textOf('/reset/page.js'), textOf('/reset/texts.js')].join('\n')
    const pages = textOf('/') + textOf('/reset')
    const linked = [...pages.matchAll(/<(?:link|img|script)[^>]*\b(?:href|src)="([^"]*)"/g)].map(
      ([, to = '']) => new URL(to, 'https://shop.example/reset').pathname,
    )
    const imported = [...scripts.matchAll(/from '([^']*)'/g)].map(
      ([, to = '']) => new URL(to, 'https://shop.example/reset/page.js').pathname,
    )

    const loaded = new Set(['/', '/reset', ...linked, ...imported])

    assert.deepEqual([...loaded].toSorted(), Object.keys(FILES).toSorted())
    assert.doesNotMatch(pages, /(?:href|src)="\//)
    assert.doesNotMatch(scripts + textOf('/reset/page.css'), /https?:|url\(|@import/)
  })

  test('its page holds nothing inline, which the policy would stop', () => {
    assert.doesNotMatch(textOf('/reset'), /<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)/)
    assert.doesNotMatch(
      textOf('/reset/page.js'),
      /innerHTML|insertAdjacentHTML|document\.write|\.style\b/,
    )
  })

  test('its field tells how long a password has to be here', () => {
    assert.match(textOf('/reset'), /\bminlength="11"/)
    assert.doesNotMatch(textOf('/reset'), /\{\{/)
  })

  test('its fields have no name: a form without its script sends nothing', () => {
    assert.doesNotMatch(textOf('/reset'), /<(?:input|button)[^>]*\bname=/)
  })
})

describe('GET /', () => {
  const linksIn = (text: string) => [...text.matchAll(/<a href="([^"]*)"/g)].map(([, to]) => to)

  test('200 and the links for a person, each of which answers', async () => {
    await using service = await startService({ SHOP_URL: 'https://shop.example' })

    const { text } = await service.get('/', { headers: { accept: 'application/json' } })

    const [website, ...ours] = linksIn(text)
    assert.equal(website, 'https://shop.example')
    assert.deepEqual(ours, ['docs', 'ready'])
    for (const path of ours) assert.equal((await service.get(`/${path}`)).status, 200)
    assert.doesNotMatch(text, /<script|\bstyle=|\bon\w+=|\{\{/)
  })

  for (const method of ['HEAD', 'POST', 'DELETE']) {
    test(`${method} is answered as for /reset`, async () => {
      await using service = await startService()

      const answer = await service.request(method, '/')

      const reset = await service.request(method, '/reset')
      assert.equal(answer.status, reset.status)
      assert.equal(answer.headers['allow'], reset.headers['allow'])
    })
  }

  test('has no link to a shop without SHOP_URL', async () => {
    await using service = await startService()

    const { text } = await service.get('/')

    assert.deepEqual(linksIn(text), ['docs', 'ready'])
  })
})

describe('the shop', () => {
  const shop = { SHOP_NAME: `<b>&"'$&`, SHOP_URL: 'https://shop.example/<b>&"' }
  const name = '&lt;b&gt;&amp;&quot;&#39;$&amp;'

  for (const [path, text] of [
    ['/', `>Website of ${name}</a>`],
    ['/reset', ' data-text="back"></a>'],
  ] as const) {
    test(`is named by ${path}, which leads back to it`, async () => {
      await using service = await startService(shop)

      const page = await service.get(path)

      assert.ok(page.text.includes(`<title>${name}</title>`))
      assert.ok(page.text.includes(`/>${name}</p>`))
      const link = '<a href="https://shop.example/&lt;b&gt;&amp;&quot;"'
      assert.ok(page.text.includes(link + text), page.text)
      assert.doesNotMatch(page.text, /<b>|Coffee/)
    })
  }

  test('is named by the documentation', async () => {
    await using service = await startService(shop)

    const page = await service.get('/docs/')
    const document = await service.get('/openapi.json')

    assert.ok(page.text.includes(`<title>${name} API</title>`))
    assert.equal(document.body.info.title, `${shop.SHOP_NAME} API`)
  })

  test('has no link without SHOP_URL', async () => {
    await using service = await startService()

    const { text } = await service.get('/reset')

    assert.ok(text.includes('<title>Coffee Shop</title>'))
    assert.doesNotMatch(text, /<a /)
  })
})

describe('the words of the page', () => {
  let TEXTS: Record<'en' | 'de', Words & { refused: Words; invited: Words }>
  before(async () => void ({ TEXTS } = await import(WORDS)))
  const keysOf = (words: Words) => Object.keys(words).toSorted()

  test('are all there in both languages', () => {
    assert.deepEqual(keysOf(TEXTS.de), keysOf(TEXTS.en))
    assert.deepEqual(keysOf(TEXTS.de.refused), keysOf(TEXTS.en.refused))
    assert.deepEqual(keysOf(TEXTS.de.invited), keysOf(TEXTS.en.invited))
    for (const key of keysOf(TEXTS.en.invited)) assert.ok(key in TEXTS.en, key)
  })

  test('are there for each place of the page', async () => {
    await using service = await startService()
    const page = await service.get('/reset')
    const script = await service.get('/reset/page.js')
    const places = [...page.text.matchAll(/data-text="(\w+)"/g)].map(([, key = '']) => key)
    const ends = [...script.text.matchAll(/finish\('(\w+)'\)/g)].map(([, end = '']) => end)
    const wanted = [...places, ...ends.flatMap((end) => [`${end}Title`, `${end}Text`])]

    assert.ok(places.length >= 8 && ends.length >= 5)
    assert.deepEqual(
      wanted.filter((key) => !(key in TEXTS.en)),
      [],
    )
  })

  test('are there for each reason to refuse a password', () => {
    assert.deepEqual(keysOf(TEXTS.en.refused), [
      'blocklisted',
      'malformed',
      'too_long',
      'too_short',
    ])
  })
})
