import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { requestText, sendRaw } from './support/raw.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'
import { claimsOf, forge, HEADER } from './support/tokens.ts'

// Text of others stays text: in SQL, in mails, in the log.

const SIGN_UP = '/api/v1/auth/signup'
const USERS = '/api/v1/users'

const SQL = [
  "' OR 1=1--",
  "' OR '1'='1",
  '"; DROP TABLE users;--',
  "'; SELECT pg_sleep(5);--",
  "' || pg_sleep(5) || '",
  "') UNION SELECT password_hash FROM users--",
  String.raw`\'; DELETE FROM users;--`,
  String.raw`\\`,
  '%',
  '_',
  '$1',
  '?',
  ':id',
  '{"$gt": ""}',
  "1;ATTACH DATABASE '/tmp/x' AS x",
]

describe('text of others stays text', () => {
  let service: Service
  let ann: TestUser
  let admin: TestUser

  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  const countUsers = async () =>
    (await service.ctx.db.selectFrom('users').select('id').execute()).length

  describe('SQL in a text', () => {
    for (const sql of SQL) {
      test(`is a name like any other: ${sql}`, async () => {
        const changed = await service.patch('/api/v1/me', { full_name: sql }, { token: ann.access })
        const found = await service.get(`${USERS}?q=${encodeURIComponent(sql)}`, {
          token: admin.access,
        })

        assert.equal(changed.body.full_name, sql)
        assert.deepEqual(
          found.body.map(({ id }: { id: number }) => id),
          [ann.id],
        )
      })

      test(`changes nothing and takes no time elsewhere: ${sql}`, async () => {
        const users = await countUsers()
        const startedAt = performance.now()
        const text = encodeURIComponent(sql)
        const token = admin.access
        const signUp = { email: `${sql}@example.com`, password: PASSWORD }
        const verify = { email: ann.email, code: sql }
        const resend = { email: ann.email, sign_up_id: sql }

        const refused = [
          await service.post('/api/v1/auth/verify', verify),
          await service.post('/api/v1/auth/verify/resend', resend),
          await service.get(`${USERS}?sort=${text}`, { token }),
          await service.get(`${USERS}?after=${text}`, { token }),
          await service.get(`${USERS}?limit=${text}`, { token }),
          await service.get(`${USERS}?role=${text}`, { token }),
          await service.get(`${USERS}?${text}=1`, { token }),
        ]
        const login = await service.post('/api/v1/auth/login', { email: ann.email, password: sql })
        const refresh = await service.post('/api/v1/auth/refresh', { refresh_token: sql })
        const path = await service.get(`${USERS}/${text}`, { token })
        await service.post('/api/v1/auth/login', signUp)

        for (const answer of refused) assertProblem(answer, 'validation_failed')
        assertProblem(login, 'invalid_credentials')
        assertProblem(refresh, 'invalid_token')
        assert.ok(path.status === 404 || path.status === 422)
        assert.equal(await countUsers(), users)
        assert.ok(performance.now() - startedAt < 4000)
      })

      test(`is stored as it is from a header: ${sql}`, async () => {
        const headers = { 'user-agent': sql, 'x-request-id': sql, 'x-forwarded-for': sql }
        const credentials = { email: ann.email, password: PASSWORD }

        const answer = await service.post('/api/v1/auth/login', credentials, { headers })

        assert.equal(answer.status, 200)
        const sid = claimsOf(answer.body.access_token).sid
        const { user_agent: stored } = await service.ctx.db
          .selectFrom('sessions')
          .select('user_agent')
          .where('id', '=', sid)
          .executeTakeFirstOrThrow()
        assert.equal(stored, sql)
      })

      test(`401 invalid_token for it in a signed token: ${sql}`, async () => {
        const claims = claimsOf(ann.access)
        const tokens = [
          forge({ claims: { ...claims, sid: sql } }),
          forge({ claims: { ...claims, sub: sql } }),
          forge({ claims, header: { ...HEADER, kid: sql }, key: sql }),
        ]
        for (const token of tokens)
          assertProblem(await service.get('/api/v1/me', { token }), 'invalid_token')
      })
    }

    test('401 invalid_token for claims or a header that only a prototype has', async () => {
      const claims = JSON.stringify(claimsOf(ann.access))
      const tokens = [
        forge({ claims: `{"__proto__":${claims}}` }),
        forge({ claims: `{"constructor":{"prototype":${claims}}}` }),
        forge({ claims, header: `{"__proto__":${JSON.stringify(HEADER)}}` }),
      ]

      for (const token of tokens)
        assertProblem(await service.get('/api/v1/me', { token }), 'invalid_token')

      assert.ok(!('sub' in {}) && !('alg' in {}))
      assert.equal((await service.get('/api/v1/me', { token: ann.access })).body.role, 'user')
    })
  })

  describe('mails', () => {
    for (const email of [
      'a@example.com, b@example.com',
      'a@example.com,b@example.com',
      'a@example.com;b@example.com',
      'a@example.com b@example.com',
      'Bob <bob@example.com>',
      '<bob@example.com>',
      '"a@example.com"@example.com',
      'a@example.com\r\nBcc: b@example.com',
      'a@example.com\nBcc: b@example.com',
      'a\r\nRCPT TO:<b@example.com>\r\n@example.com',
      'a\n.\r\nMAIL FROM:<x@example.com>@example.com',
      'a@example.com%0d%0aBcc:b@example.com',
      'a@example.com\0',
      'a@exam\u2028ple.com',
      'a@[127.0.0.1]',
      'a@127.0.0.1',
      'a@b@example.com',
      'group: a@example.com, b@example.com;',
      'a(b@example.com)@example.com',
    ]) {
      test(`422 for ${JSON.stringify(email)}, and nothing is mailed`, async () => {
        await service.deliverMail()
        const sent = service.mailer.sent.length
        for (const url of [SIGN_UP, '/api/v1/auth/verify/resend']) {
          const body = url === SIGN_UP ? { email, password: PASSWORD } : { email }
          assertInvalid(await service.post(url, body), '/email')
        }
        await service.deliverMail()
        assert.equal(service.mailer.sent.length, sent)
      })
    }

    for (const email of ['a{{7*7}}@example.com', 'a%0d%0ab@example.com', '${x}`$`@example.com']) {
      test(`one mail to ${email}, letter for letter`, async () => {
        const sent = service.mailer.sent.length

        const code = await service.signUp(email).then(() => service.codeFor(email))

        const mails = service.mailer.sent.slice(sent)
        assert.deepEqual(
          mails.map(({ to }) => to),
          [email],
        )
        assert.equal(mails[0]?.consoleLine, `🔑 Verification code for ${email}: ${code}`)
      })
    }

    for (const [index, name] of [
      'http://evil.example win money',
      'www.evil.example/win',
      '<a href=//evil.example>Click</a><img src=//evil.example/x>',
      '"><script>alert(1)</script>',
      '=?utf-8?B?QmNjOiBiQGV4YW1wbGUuY29t?=',
      'A '.repeat(100),
      '{{constructor.constructor("return process")()}}',
    ].entries()) {
      test(`no part of a name chosen by a stranger: ${name.slice(0, 50)}`, async () => {
        const email = `name${index}@example.com`

        await service.signUp(email, PASSWORD, name)
        await service.deliverMail()

        const [mail] = service.mailsTo(email)
        assert.ok(mail)
        assert.ok(!mail.text.includes(name.trim()) && !mail.subject.includes(name.trim()))
        assert.doesNotMatch(mail.text + mail.subject, /evil|script|[<>]|\{\{/)
      })
    }

    for (const [index, userAgent] of [
      'http://evil.example/win money',
      'Click evil.example now',
      'you won, write to prize@evil',
      'Mozilla/5.0 (+https://evil.example/bot.html)',
      'evil1.example',
      'Your account was hacked, call 555 0100',
    ].entries()) {
      test(`no word from a stranger’s device: ${userAgent}`, async () => {
        const email = `device${index}@example.com`
        const body = { email, password: PASSWORD }

        await service.post(SIGN_UP, body, { headers: { 'user-agent': userAgent } })
        await service.deliverMail()

        assert.match(service.mailsTo(email)[0]?.text ?? '', /with an unknown device\./)
      })
    }

    test('a device is named in words of ours, whatever stands around them', async () => {
      const email = 'device@example.com'
      const browser = 'Mozilla/5.0 (X11; Linux x86_64; call 555 0100) Gecko/20100101 Firefox/140.0'
      const headers = { 'user-agent': `${browser}\u0085\u009b2J\u00ad${' x'.repeat(20_000 / 4)}` }

      await service.post(SIGN_UP, { email, password: PASSWORD }, { headers })
      await service.deliverMail()

      const { text = '', html = '' } = service.mailsTo(email)[0] ?? {}
      assert.match(text, /with Firefox on Linux\./)
      assert.doesNotMatch(text + html, /555|Gecko|2J/)
    })

    test('no text from a header that a proxy passed on as the address', async () => {
      await using behind = await startService({ TRUSTED_PROXIES: '127.0.0.0/8' })
      const body = { email: 'ann@example.com', password: PASSWORD }
      const headers = { 'x-forwarded-for': 'http://evil.example' }

      await behind.post(SIGN_UP, body, { headers, ip: '127.0.0.1' })
      await behind.deliverMail()

      assert.match(behind.mailsTo(body.email)[0]?.text ?? '', /from an unknown network with/)
    })
  })

  describe('the log', () => {
    const LINE = '\n{"level":60,"msg":"forged"}\n'

    test('one JSON line for each request, with the route’s pattern, whatever the request holds', async () => {
      await using service = await startService()
      const base = await service.listen()
      const { access, id } = await service.addUser()
      const before = service.logged.length
      const evil = '\u001b[2J\u009b2J\u2028{"level":60}'
      const userAgent = `${evil}${'x'.repeat(5000)}`

      await service.get(`/api/v1/users/${id}?x=kanarienvogel`, {
        token: access,
        headers: { 'user-agent': userAgent.replaceAll(/[^\u0020-\u00ff]/g, '') },
      })
      await service.get('/api/v1/kanarienvogel')
      await service.post('/auth/login', { email: LINE, password: LINE, [LINE]: 1 })
      await service.post(SIGN_UP, { email: 'b@example.com', password: PASSWORD, full_name: LINE })
      await sendRaw(
        base,
        requestText('GET /kanarienvogel%0a{}', { 'X-Request-Id': 'kanarienvogel' }),
      )

      const lines = service.logged.slice(before)
      assert.equal(lines.length, 5)
      const records = lines.map((line) => JSON.parse(line))
      for (const [index, line] of lines.entries()) {
        assert.match(line, /^[^\p{Cc}\u2028]+\n$/u)
        assert.doesNotMatch(line, /kanarienvogel|forged|example\.com/)
        assert.equal(records[index].msg, 'request')
        assert.ok(line.length < 500)
      }
      assert.deepEqual(
        records.map(({ route, status }) => [route, status]),
        [
          ['/api/v1/users/:id', 403],
          [null, 404],
          ['/auth/login', 422],
          ['/api/v1/auth/signup', 422],
          [null, 404],
        ],
      )
    })
  })
})
