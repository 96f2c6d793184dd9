import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../../server/lib/units.ts'
import { assertProblem } from '../support/problem.ts'
import { countStatuses, times } from '../support/races.ts'
import { requestText, sendRaw } from '../support/raw.ts'
import { FORGOT } from '../support/resets.ts'
import { rowsOf } from '../support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'
import { claimsOf } from '../support/tokens.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const LOGIN = '/api/v1/auth/login'
const TRUSTED = { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' }
const PROXY = '10.0.0.5'
const CLIENT = '198.51.100.7'
const ANN = { email: 'ann@example.com', password: PASSWORD }

/** Where a sign-up and a login came from: in the rows, in the mail and in the log. */
async function addressSeen(
  settings: Record<string, string>,
  remote: string,
  headers: Record<string, string>,
): Promise<string | null | undefined> {
  await using service = await startService(settings)
  const sent = { ip: remote, headers }
  const signedUp = await service.post(SIGN_UP, ANN, sent)
  assert.equal(signedUp.status, 201, signedUp.text)
  const [attempt] = await rowsOf(service.ctx, 'sign_ups')
  const code = await service.codeFor(ANN.email)
  await service.post(VERIFY, { email: ANN.email, code }, sent)
  await service.post(LOGIN, ANN, sent)
  const [session] = await rowsOf(service.ctx, 'sessions')

  const mailed = /from (?:IP address )?(.+) with/.exec(
    service.mailsTo(ANN.email)[0]?.text ?? '',
  )?.[1]
  const logged = service.logged.map((line) => JSON.parse(line).ip).filter((ip) => ip !== undefined)
  const inMail = mailed === 'an unknown network' ? null : mailed
  const seen = new Set([attempt.ip, session.ip, inMail, ...logged])
  assert.equal(seen.size, 1, [...seen].join(' '))
  return [...seen][0]
}

const forget = (service: Service, ip: string, headers: Record<string, string> = {}) =>
  service.post(FORGOT, { email: ANN.email }, { ip, headers })
const forgetAs = (service: Service, client: string) =>
  forget(service, PROXY, { 'x-forwarded-for': client })
const metricsOf = ({ ctx }: Service) => ctx.metrics.expose()
const warningsOf = ({ logged }: Service) =>
  logged.map((line) => JSON.parse(line)).filter(({ msg }) => /TRUSTED_PROXIES/.test(msg))

describe('X-Forwarded-For', () => {
  for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'x-client-ip']) {
    test(`nothing in ${name} is believed by default`, async () => {
      const value = name === 'forwarded' ? 'for=1.1.1.1' : '1.1.1.1'
      assert.equal(await addressSeen({}, PROXY, { [name]: value }), PROXY)
    })
  }

  for (const [why, remote, value, expected] of [
    [
      'what the proxy appended counts, not what the client sent',
      PROXY,
      `1.1.1.1, ${CLIENT}`,
      CLIENT,
    ],
    ['trusted hops on the right are skipped', PROXY, `1.1.1.1, ${CLIENT}, 10.9.9.9`, CLIENT],
    ['a client that is no proxy is not believed', '203.0.113.9', '1.1.1.1', '203.0.113.9'],
    ['a chain of proxies alone names the first', PROXY, '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['a proxy on a dual-stack socket is known', `::ffff:${PROXY}`, CLIENT, CLIENT],
    ['a proxy on IPv6 is known', 'fd00::5', '2001:db8::7', '2001:db8::7'],
    ['a mapped address is told as IPv4', PROXY, `::ffff:${CLIENT}`, CLIENT],
    ['a mapped address in hexadecimal, too', PROXY, '::FFFF:c633:6407', '198.51.100.7'],
    ['a translated address is told as IPv4', PROXY, '[64:ff9b::c633:6407]:443', '198.51.100.7'],
    ['a port is dropped', PROXY, `${CLIENT}:4711`, CLIENT],
    ['brackets and port are dropped', PROXY, '[2001:db8::7]:443', '2001:db8::7'],
    ['an empty header names the proxy', PROXY, '', PROXY],
    ['a word is no address', PROXY, 'unknown', null],
    ['an address out of range is no address', PROXY, '198.51.100.777', null],
    ['a URL is no address', PROXY, 'http://evil.example', null],
    ['a script is no address', PROXY, '<script>alert(1)</script>', null],
    ['5 kB of letters are no address', PROXY, 'x'.repeat(5000), null],
    ['1000 hops are no trouble', PROXY, `${'1.1.1.1, '.repeat(999)}${CLIENT}`, CLIENT],
  ] as const) {
    test(why, async () => {
      assert.equal(await addressSeen(TRUSTED, remote, { 'x-forwarded-for': value }), expected)
    })
  }

  test('other headers of a trusted proxy are not believed either', async () => {
    const headers = { 'x-real-ip': '1.1.1.1', forwarded: 'for=1.1.1.1', 'x-client-ip': '1.1.1.1' }
    assert.equal(await addressSeen(TRUSTED, PROXY, headers), PROXY)
  })
})

describe('whom a limit counts behind a proxy', () => {
  test('each client alone; what a client sends of itself does not help it', async () => {
    await using service = await startService(TRUSTED)
    const answers: Answer[] = []
    for (const n of times(12)) answers.push(await forgetAs(service, `203.0.113.${n}, ${CLIENT}`))

    assert.deepEqual(countStatuses(answers), { 202: 10, 429: 2 })
    assert.equal((await forgetAs(service, `${CLIENT}, 198.51.100.8`)).status, 202)
  })

  test('a client without a proxy gains nothing by the header', async () => {
    await using service = await startService(TRUSTED)
    for (const n of times(10))
      await forget(service, CLIENT, { 'x-forwarded-for': `203.0.113.${n}` })

    assertProblem(await forget(service, CLIENT), 'too_many_requests')
  })

  test('all who have no address count as one', async () => {
    await using service = await startService(TRUSTED)
    const garbage = ['unknown', '<script>', 'x'.repeat(5000), '999.1.1.1', '_hidden']
    for (const n of times(10)) await forgetAs(service, garbage[n % garbage.length]!)

    const answer = await forgetAs(service, 'another')
    const addressed = await forgetAs(service, '198.51.100.9')

    assertProblem(answer, 'too_many_requests')
    assert.equal(addressed.status, 202)
  })

  test('one client spelled in many ways counts as one', async () => {
    await using service = await startService(TRUSTED)
    const spellings = [
      '198.51.100.7',
      '::ffff:198.51.100.7',
      '198.51.100.7:4711',
      '::FFFF:198.51.100.7',
      '0:0:0:0:0:ffff:c633:6407',
      '64:ff9b::198.51.100.7',
    ]
    for (const n of times(10)) await forgetAs(service, spellings[n % spellings.length]!)

    assertProblem(await forget(service, CLIENT), 'too_many_requests')
  })

  test('customers of IPv4 who come as IPv6 are counted each alone', async () => {
    await using service = await startService(TRUSTED)
    const answers: Answer[] = []

    for (const n of times(12))
      for (const client of [`64:ff9b::203.0.113.${n}`, `::ffff:c633:64${(16 + n).toString(16)}`])
        answers.push(await forgetAs(service, client))

    assert.deepEqual(countStatuses(answers), { 202: 24 })
  })
})

describe('a proxy that TRUSTED_PROXIES does not name', () => {
  for (const [header, value] of [
    ['x-forwarded-for', CLIENT],
    ['forwarded', `for=${CLIENT}`],
  ] as const) {
    for (const [settings, proxy] of [
      [{}, PROXY],
      [{}, '203.0.113.1'],
      [{}, 'fd00::5'],
      [TRUSTED, '192.168.0.5'],
      [TRUSTED, '::ffff:192.168.0.5'],
    ] as const) {
      const known = 'TRUSTED_PROXIES' in settings ? settings.TRUSTED_PROXIES : 'none'
      test(`is warned of once an hour: ${header} from ${proxy}, trusted ${known}`, async () => {
        await using service = await startService(settings)
        for (let n = 0; n < 3; n++) await forget(service, proxy, { [header]: value })
        const first = warningsOf(service).length
        service.advance(HOUR_MS)
        await forget(service, proxy, { [header]: value })

        assert.equal(first, 1)
        const warnings = warningsOf(service)
        assert.equal(warnings.length, 2)
        const ip = proxy.replace('::ffff:', '')
        assert.deepEqual([warnings[0].level, warnings[0].ip], ['warn', ip])
        assert.match(await metricsOf(service), /^coffee_shop_clients_behind_one_proxy 1$/m)
        service.advance(HOUR_MS)
        assert.match(await metricsOf(service), /^coffee_shop_clients_behind_one_proxy 0$/m)
      })
    }
  }

  for (const [why, settings, ip, headers] of [
    ['a client of a trusted proxy', TRUSTED, PROXY, { 'x-forwarded-for': CLIENT }],
    ['the same on a dual-stack socket', TRUSTED, `::ffff:${PROXY}`, { 'x-forwarded-for': CLIENT }],
    ['a client of a trusted proxy on IPv6', TRUSTED, 'fd00::5', { forwarded: `for=${CLIENT}` }],
    ['the host of a trusted proxy', TRUSTED, PROXY, {}],
    ['the host of a trusted proxy, with a header', TRUSTED, PROXY, { 'x-forwarded-for': PROXY }],
    ['a client without a proxy', {}, CLIENT, {}],
    ['a client in the same private network', {}, '172.17.0.1', {}],
  ] as const) {
    test(`is not suspected after 250 requests from ${why}`, async () => {
      await using service = await startService(settings)
      for (const _ of times(250)) await forget(service, ip, headers)

      assert.deepEqual(warningsOf(service), [])
      assert.match(await metricsOf(service), /^coffee_shop_clients_behind_one_proxy 0$/m)
    })
  }
})

describe('the host that a request names', () => {
  const PUBLIC_URL = 'https://shop.example.com'
  const EVIL: Record<string, Record<string, string>> = {
    Host: { Host: 'evil.example' },
    'Host with a user': { Host: 'shop.example.com:@evil.example' },
    'X-Forwarded-Host': { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' },
    Forwarded: { Forwarded: 'host=evil.example;proto=http' },
    'X-Original-Host': { 'X-Original-Host': 'evil.example', 'X-Host': 'evil.example' },
    'X-Original-URL': { 'X-Original-URL': '//evil.example/', 'X-Rewrite-URL': '//evil.example/' },
  }

  for (const [why, evil] of [...Object.entries(EVIL), ['absolute-form', {}]] as const) {
    test(`reaches no mail, link, token or answer, as the first ever: ${why}`, async () => {
      await using service = await startService({
        PUBLIC_URL,
        HIDE_REGISTERED_EMAILS: 'true',
        TRUSTED_PROXIES: '127.0.0.0/8',
      })
      const base = await service.listen()
      const origin = why === 'absolute-form' ? 'http://evil.example' : ''
      const send = async (method: string, path: string, body?: object, token = '') => {
        const text = body === undefined ? '' : JSON.stringify(body)
        const headers = {
          ...evil,
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(text)),
          Authorization: `Bearer ${token}`,
        }
        const line = `${method} ${origin}${path}`
        const { answers } = await sendRaw(base, requestText(line, headers, text))
        assert.ok(answers[0])
        return answers[0]
      }

      const signedUp = await send('POST', SIGN_UP, ANN)
      const code = await service.codeFor(ANN.email)
      await send('POST', VERIFY, { email: ANN.email, code })
      await send('POST', SIGN_UP, ANN)
      await service.deliverMail()
      const loggedIn = await send('POST', LOGIN, ANN)
      await service.addUser()
      await service.ctx.transaction((tx) =>
        tx.updateTable('users').set({ role: 'admin' }).execute(),
      )
      const token = loggedIn.body.access_token
      const list = await send('GET', '/users?limit=1', undefined, token)

      assert.equal(signedUp.status, 201)
      assert.match(list.headers['link'] ?? '', /^<\/users\?limit=1&/)
      assert.equal(claimsOf(token)['iss'], PUBLIC_URL)
      const mails = service.mailer.sent.map(({ text, subject }) => subject + text)
      assert.equal(mails.length, 2)
      assert.ok(mails.some((text) => text.includes(PUBLIC_URL)))
      const all = [signedUp, loggedIn, list].map(
        ({ text, headers }) => text + JSON.stringify(headers),
      )
      assert.doesNotMatch([...mails, ...all].join(''), /evil/)
    })
  }
})
