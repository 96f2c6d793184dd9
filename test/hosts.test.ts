import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestText, sendRaw } from './support/raw.ts'
import { PASSWORD, startService } from './support/service.ts'
import { claimsOf } from './support/tokens.ts'

const SIGN_UP = '/api/v1/auth/signup'

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
        const { answers } = await sendRaw(
          base,
          requestText(`${method} ${origin}${path}`, headers, text),
        )
        assert.ok(answers[0])
        return answers[0]
      }
      const ann = { email: 'ann@example.com', password: PASSWORD }

      const signedUp = await send('POST', SIGN_UP, ann)
      const code = await service.codeFor(ann.email)
      await send('POST', '/api/v1/auth/verify', { email: ann.email, code })
      await send('POST', SIGN_UP, ann)
      await service.deliverMail()
      const loggedIn = await send('POST', '/api/v1/auth/login', ann)
      await service.addUser()
      await service.ctx.transaction((tx) =>
        tx.updateTable('users').set({ role: 'admin' }).execute(),
      )
      const list = await send('GET', '/users?limit=1', undefined, loggedIn.body.access_token)

      assert.equal(signedUp.status, 201)
      assert.match(list.headers['link'] ?? '', /^<\/users\?limit=1&/)
      assert.equal(claimsOf(loggedIn.body.access_token)['iss'], PUBLIC_URL)
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
