import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startService } from './support/service.ts'

const TRUSTED = { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' }
const PROXY = '10.0.0.5'
const UNKNOWN = 'an unknown network'
const CLIENT = '198.51.100.7'

/** Where a sign-up and a login came from: in the rows, in the mail and in the log. */
async function addressSeen(
  settings: Record<string, string>,
  remote: string,
  headers: Record<string, string>,
): Promise<string | null | undefined> {
  await using service = await startService(settings)
  const email = 'ann@example.com'
  const password = 'correct horse battery staple'
  const sent = { ip: remote, headers }
  const signedUp = await service.post('/api/v1/auth/signup', { email, password }, sent)
  assert.equal(signedUp.status, 201, signedUp.text)
  const attempt = await service.ctx.db.selectFrom('sign_ups').select('ip').executeTakeFirstOrThrow()
  const code = await service.codeFor(email)
  await service.post('/api/v1/auth/verify', { email, code }, sent)
  await service.post('/api/v1/auth/login', { email, password }, sent)
  const session = await service.ctx.db.selectFrom('sessions').select('ip').executeTakeFirstOrThrow()

  const mailed = /from (.+) with/.exec(service.mailsTo(email)[0]?.text ?? '')?.[1]
  const logged = service.logged.map((line) => JSON.parse(line).ip).filter((ip) => ip !== undefined)
  const seen = new Set([attempt.ip, session.ip, mailed === UNKNOWN ? null : mailed, ...logged])
  assert.equal(seen.size, 1, [...seen].join(' '))
  return [...seen][0]
}

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
