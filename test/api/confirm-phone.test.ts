import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deriveCode } from '../../server/lib/codes.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { otherThan } from '../support/codes.ts'
import {
  CONFIRM,
  NUMBER,
  OTHER_NUMBER,
  PHONE,
  pendingPhones,
  phoneCodeFor,
  phoneOf,
  triesOf,
} from '../support/phones.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { SETTINGS, startService } from '../support/service.ts'

const VERIFY = '/api/v1/auth/verify'

describe('POST /me/phone/confirm', () => {
  test('200 with the user, whose number counts from then on, for its owner and for admins', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    const code = await phoneCodeFor(service, ann)
    service.advance(5 * SECOND_MS)

    const answer = await service.post(CONFIRM, { code }, { token: ann.access })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.phone, NUMBER)
    assert.equal(answer.body.updated_at, '2026-01-01T12:00:05.000Z')
    const me = await service.get('/api/v1/me', { token: ann.access })
    const seen = await service.get(`/api/v1/users/${ann.id}`, { token: admin.access })
    assert.deepEqual([me.body, seen.body], [answer.body, answer.body])
    assert.deepEqual(await pendingPhones(service), [])
    assert.deepEqual(await triesOf(service, ann.email), {})
  })

  test('200 a second before the code’s end, 400 invalid_code at its end', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    const codes = [await phoneCodeFor(service, ann), await phoneCodeFor(service, bob)]

    service.advance(10 * MINUTE_MS - SECOND_MS)
    const before = await service.post(CONFIRM, { code: codes[0] }, { token: ann.access })
    service.advance(SECOND_MS)
    const after = await service.post(CONFIRM, { code: codes[1] }, { token: bob.access })

    assert.equal(before.status, 200)
    assertProblem(after, 'invalid_code')
    assert.equal(await phoneOf(service, bob), null)
  })

  test('200 once: 400 invalid_code for a code that was used', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    const code = await phoneCodeFor(service, { access: token })
    await service.post(CONFIRM, { code }, { token })
    await service.delete(PHONE, { token })

    assertProblem(await service.post(CONFIRM, { code }, { token }), 'invalid_code')
    assert.equal(await phoneOf(service, { access: token }), null)
  })

  test('400 invalid_code for the code of a number that was replaced', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const oldCode = await phoneCodeFor(service, ann)
    service.advance(MINUTE_MS)
    const newCode = await phoneCodeFor(service, ann, OTHER_NUMBER)

    const old = await service.post(CONFIRM, { code: oldCode }, { token: ann.access })
    const replaced = await service.post(CONFIRM, { code: newCode }, { token: ann.access })

    assertProblem(old, 'invalid_code')
    assert.equal(replaced.body.phone, OTHER_NUMBER)
  })

  test('400 invalid_code, the same, when no number waits, and it is counted', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await service.post(CONFIRM, { code: '123456' }, { token: ann.access })

    assertProblem(answer, 'invalid_code')
    assert.deepEqual(await triesOf(service, ann.email), { phone: 1 })
  })

  test('400 invalid_code for another user’s code, even of the same number', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    const annsCode = await phoneCodeFor(service, ann)
    await phoneCodeFor(service, bob)

    const answer = await service.post(CONFIRM, { code: annsCode }, { token: bob.access })

    assertProblem(answer, 'invalid_code')
    assert.equal(await phoneOf(service, bob), null)
    const owner = await service.post(CONFIRM, { code: annsCode }, { token: ann.access })
    assert.equal(owner.status, 200)
  })

  for (const [why, previous, status] of [
    ['200 while the key of the code is still accepted', SETTINGS.SECRET_KEY, 200],
    ['400 once it is gone', '', 400],
  ] as const) {
    test(`${why}, after the secret key was changed`, async () => {
      await using old = await startService()
      const email = 'ann@example.com'
      const code = await phoneCodeFor(old, await old.addUser(email))
      const SECRET_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
      const settings = { SECRET_KEY, SECRET_KEY_PREVIOUS: previous }
      await using service = await startService(settings, { replicaOf: old })
      const { access: token } = await service.logIn(email)

      assert.equal((await service.post(CONFIRM, { code }, { token })).status, status)
    })
  }

  test('422 for anything but six ASCII digits, and it is not counted', async (t) => {
    await using service = await startService()
    const { access: token, email } = await service.addUser()
    for (const [why, code] of [
      ['a space after', '123456 '],
      ['full-width digits', '１２３４５６'],
      ['five digits', '12345'],
      ['seven digits', '1234567'],
      ['a number', 123456],
      ['null', null],
      ['no code', undefined],
    ] as const) {
      await t.test(`for ${why}`, async () => {
        assertInvalid(await service.post(CONFIRM, { code }, { token }), '/code')
        assert.deepEqual(await triesOf(service, email), {})
      })
    }
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.post(CONFIRM, { code: 7 }), 'authentication_required')
  })
})

describe('a code of one purpose never works for the other', () => {
  test('400 for a phone code at /auth/verify: it verifies no email, neither its user’s nor a new one', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    await service.signUp('eve@example.com')
    const code = await phoneCodeFor(service, ann)

    for (const email of ['eve@example.com', ann.email])
      assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
  })

  test('the code sent to a phone is derived for that purpose', async () => {
    await using service = await startService()
    const code = await phoneCodeFor(service, await service.addUser())

    const [change] = await pendingPhones(service)
    const key = service.ctx.keys.current.of.code
    assert.equal(code, deriveCode(key, 'phone', change?.id ?? ''))
  })

  test('400 for a mailed code at /me/phone/confirm', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.signUp('eve@example.com')
    const mailed = await service.codeFor('eve@example.com')
    await phoneCodeFor(service, ann)

    const answer = await service.post(CONFIRM, { code: mailed }, { token: ann.access })

    assertProblem(answer, 'invalid_code')
    assert.equal(await phoneOf(service, ann), null)
  })
})

describe('the budget of wrong phone codes', () => {
  test('400 for the right code after five wrong ones, though a new one was sent; 200 an hour later', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const confirm = (code: string) => service.post(CONFIRM, { code }, { token: ann.access })
    const code = await phoneCodeFor(service, ann)
    for (let n = 1; n <= 5; n++) assertProblem(await confirm(otherThan(code, n)), 'invalid_code')

    const atOnce = await confirm(code)
    service.advance(MINUTE_MS)
    const withNewCode = await confirm(await phoneCodeFor(service, ann))
    service.advance(HOUR_MS)
    const { access: token } = await service.logIn(ann.email)
    const newest = await phoneCodeFor(service, { access: token })
    const anHourLater = await service.post(CONFIRM, { code: newest }, { token })

    assertProblem(atOnce, 'invalid_code')
    assertProblem(withNewCode, 'invalid_code')
    assert.equal(anHourLater.status, 200)
  })

  test('400 for the right code after twenty wrong ones in 24 hours; 200 when they are over', async () => {
    await using service = await startService()
    const { email } = await service.addUser()
    const guess = async (wrong: boolean) => {
      const { access: token } = await service.logIn(email)
      const code = wrong ? '000000' : await phoneCodeFor(service, { access: token })
      return (await service.post(CONFIRM, { code }, { token })).status
    }
    for (let n = 0; n < 5; n++) await guess(true)
    for (let n = 0; n < 15; n++) {
      service.advance(HOUR_MS)
      await guess(true)
    }

    service.advance(HOUR_MS)
    const theTwentyFirst = await guess(false)
    service.advance(8 * HOUR_MS)
    const aDayAfterTheFirst = await guess(false)

    assert.deepEqual([theTwentyFirst, aDayAfterTheFirst], [400, 200])
  })

  test('is not given back by proving a number of one’s own: only that try is', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const confirm = (code: string) => service.post(CONFIRM, { code }, { token: ann.access })
    for (let n = 0; n < 4; n++) await confirm('000000')
    const own = await confirm(await phoneCodeFor(service, ann))
    const left = await triesOf(service, ann.email)
    service.advance(MINUTE_MS)
    await confirm('000000')
    const code = await phoneCodeFor(service, ann, OTHER_NUMBER)

    const another = await confirm(code)

    assert.equal(own.status, 200)
    assert.deepEqual(left, { phone: 4 })
    assertProblem(another, 'invalid_code')
  })

  test('is not the budget of mailed codes: using one up leaves the other', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    const code = await phoneCodeFor(service, ann)
    for (let n = 0; n < 6; n++) await service.post(VERIFY, { email: ann.email, code: '000000' })

    const answer = await service.post(CONFIRM, { code }, { token: ann.access })

    assert.equal(answer.status, 200)
    assert.deepEqual(await triesOf(service, ann.email), { verify: 5 })
  })

  test('a mailed code that was right leaves the count of phone codes', async () => {
    await using service = await startService()
    const email = 'ann@example.com'
    await service.signUp(email)
    const row = {
      email_canonical: email,
      purpose: 'phone' as const,
      times: '["2026-01-01T11:59:00.000Z"]',
    }
    await service.ctx.transaction((tx) => tx.insertInto('code_failures').values(row).execute())

    await service.post(VERIFY, { email, code: await service.codeFor(email) })

    assert.deepEqual(await triesOf(service, email), { phone: 1 })
  })
})
