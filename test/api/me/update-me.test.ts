import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'

const ME = '/api/v1/me'

describe('PATCH /me', () => {
  test('200 changes the name and says when', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    service.advance(5000)

    const answer = await service.patch(ME, { full_name: 'Ann Lee' }, { token })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.full_name, 'Ann Lee')
    assert.equal(answer.body.updated_at, '2026-01-01T12:00:05.000Z')
    assert.deepEqual((await service.get(ME, { token })).body, answer.body)
  })

  test('200 null clears the name', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser('ann@example.com', PASSWORD, 'Ann')

    const answer = await service.patch(ME, { full_name: null }, { token })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.full_name, null)
    assert.equal((await service.get(ME, { token })).body.full_name, null)
  })

  for (const [why, change] of [
    ['an empty object', {}],
    ['the name that is there', { full_name: 'Élodie' }],
    ['the same name in NFD', { full_name: 'E\u0301lodie' }],
  ] as const) {
    test(`200 changes nothing, updated_at neither, for ${why}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser('ann@example.com', PASSWORD, 'Élodie')
      const before = await service.get(ME, { token })
      service.advance(5000)

      const answer = await service.patch(ME, change, { token })

      assert.equal(answer.status, 200)
      assert.deepEqual(answer.body, before.body)
    })
  }

  for (const [why, name] of [
    ['two hundred characters', '🦊'.repeat(200)],
    ['a family of emoji, joined', '👩‍👩‍👧'],
    ['a name in Arabic', 'محمد'],
    ['markup and quotes, which are text', `<b>"O'Brien"</b>; drop table users --`],
    ['outer spaces, which count', ' Ann '],
  ] as const) {
    test(`200 keeps ${why}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser()

      const answer = await service.patch(ME, { full_name: name }, { token })

      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.body.full_name, name)
      assert.equal((await service.get(ME, { token })).body.full_name, name)
    })
  }

  test('200 stores names in NFC, and counts them so', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()

    const answer = await service.patch(ME, { full_name: 'e\u0301'.repeat(200) }, { token })

    assert.equal(answer.body.full_name, 'é'.repeat(200))
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.patch(ME, { role: 7 }), 'authentication_required')
  })
})

// Fields that are not the caller’s to set: test/edge/mass-assignment.test.ts.

describe('PATCH /me refuses', () => {
  let service: Service
  let token: string
  let unchanged: object
  before(async () => {
    service = await startService()
    token = (await service.addUser('ann@example.com', PASSWORD, 'Ann')).access
    unchanged = (await service.get(ME, { token })).body
    service.advance(5000)
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [why, name, code] of [
    ['201 characters', '🦊'.repeat(201), 'maxLength'],
    ['an empty name', '', 'minLength'],
    ['a NUL', 'a\0b', 'characters'],
    ['a line break', 'Bob\r\nBcc: eve@example.com', 'characters'],
    ['a tab', 'a\tb', 'characters'],
    ['DEL', 'a\u007fb', 'characters'],
    ['a C1 control', 'a\u0085b', 'characters'],
    ['a right-to-left override', 'a\u202eb', 'characters'],
    ['a bidi isolate', 'a\u2067b', 'characters'],
    ['a line separator', 'a\u2028b', 'characters'],
    ['a paragraph separator', 'a\u2029b', 'characters'],
    ['a number', 7, 'type'],
    ['a list', ['Ann'], 'type'],
    ['an object', { first: 'Ann' }, 'type'],
  ] as const) {
    test(`422 for ${why} as a name, which stays`, async () => {
      const answer = await service.patch(ME, { full_name: name }, { token })

      assertInvalid(answer, '/full_name', code)
      assert.deepEqual((await service.get(ME, { token })).body, unchanged)
    })
  }
})
