import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, SECOND_MS } from '../server/lib/units.ts'
import { PASSWORD, startService } from './support/service.ts'

const email = 'ann@example.com'
const VERIFY = '/api/v1/auth/verify'
const REMINDER = /not verified yet/

describe('the reminder', () => {
  test('goes out 24 h after the sign-up, not before, and holds no code', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)
    service.advance(24 * HOUR_MS - SECOND_MS)
    await service.deliverMail()
    const before = service.mailsTo(email).length

    service.advance(SECOND_MS)
    await service.deliverMail()

    const [, reminder, ...others] = service.mailsTo(email)
    assert.equal(before, 1)
    assert.deepEqual(others, [])
    assert.match(reminder?.subject ?? '', REMINDER)
    assert.match(reminder?.text ?? '', /deleted on 2026-01-03 12:00 UTC/)
    assert.doesNotMatch(`${reminder?.text}${reminder?.html}`, new RegExp(`\\b${code}\\b`))
    assert.doesNotMatch(reminder?.text ?? '', /\b[0-9]{6}\b/)
    assert.ok(reminder?.text.includes(service.ctx.config.publicUrl))
  })

  test('follows UNVERIFIED_USER_TTL_HOURS', async () => {
    await using service = await startService({ UNVERIFIED_USER_TTL_HOURS: '100' })
    await service.signUp(email)
    service.advance(50 * HOUR_MS - SECOND_MS)
    await service.deliverMail()
    const before = service.mailsTo(email).length

    service.advance(SECOND_MS)
    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, before + 1)
  })

  test('goes out once, however often the address was signed up', async () => {
    await using service = await startService()
    for (let n = 0; n < 3; n++) {
      await service.signUp(email)
      service.advance(HOUR_MS)
    }
    await service.deliverMail()

    service.advance(40 * HOUR_MS)
    await service.deliverMail()

    const reminders = service.mailsTo(email).filter((mail) => REMINDER.test(mail.subject))
    assert.equal(reminders.length, 1)
  })

  test('speaks the language of the sign-up', async () => {
    await using service = await startService()
    await service.request('POST', '/api/v1/auth/signup', {
      body: { email, password: PASSWORD },
      headers: { 'accept-language': 'de-AT, en;q=0.5' },
    })

    service.advance(24 * HOUR_MS)
    await service.deliverMail()

    assert.match(service.mailsTo(email)[0]?.html ?? '', /<html lang="de"/)
  })

  for (const [why, hours] of [
    ['is verified', 1],
    ['was deleted', 1],
    ['is over', 48],
  ] as const) {
    test(`does not go out when the account ${why}`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      await service.signUp(email)
      const code = await service.codeFor(email)
      service.advance(hours * HOUR_MS)
      if (why === 'is verified') await service.post(VERIFY, { email, code })
      const token = (await service.logIn(admin.email)).access
      const [ann] = (await service.get('/api/v1/users?sort=-id', { token })).body
      if (why === 'was deleted') await service.delete(`/api/v1/users/${ann.id}`, { token })

      service.advance(24 * HOUR_MS)
      await service.deliverMail()

      assert.equal(service.mailsTo(email).length, 1)
    })
  }
})
