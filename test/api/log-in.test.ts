import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { PASSWORD, startService } from '../support/service.ts'

const LOGIN = '/api/v1/auth/login'

describe('POST /auth/login', () => {
  test('200 gives an access token and a refresh token', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')

    const answer = await service.post(LOGIN, { email: 'ANN@Example.com', password: PASSWORD })

    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body).toSorted(), [
      'access_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ])
    assert.equal(answer.body.token_type, 'bearer')
    assert.equal(answer.body.expires_in, 1800)
    const me = await service.get('/api/v1/me', { token: answer.body.access_token })
    assert.equal(me.body.id, ann.id)
  })

  test('200 for the OAuth 2 password form, as Swagger UI sends it', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    const form = { grant_type: 'password', username: ann.email, password: PASSWORD, scope: '' }

    const headers = { authorization: 'Basic Og==' }
    const answer = await service.request('POST', LOGIN, {
      form: { ...form, client_id: 'x' },
      headers,
    })

    assert.equal(answer.status, 200)
  })

  for (const [why, email, password] of [
    ['a wrong password', 'ann@example.com', 'not the password'],
    ['an unknown address', 'bob@example.com', PASSWORD],
    ['a password that only begins right', 'ann@example.com', `${PASSWORD}!`],
  ] as const) {
    test(`401 invalid_credentials for ${why}`, async () => {
      await using service = await startService()
      await service.addUser('ann@example.com')

      const answer = await service.post(LOGIN, { email, password })

      assertProblem(answer, 'invalid_credentials')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    })
  }

  test('403 email_unverified only after the newest attempt’s password', async () => {
    await using service = await startService()
    await service.signUp('ann@example.com', 'the first of two passwords')
    service.advance(1000)
    await service.signUp('ann@example.com', PASSWORD)

    const right = await service.post(LOGIN, { email: 'ann@example.com', password: PASSWORD })
    const wrong = await service.post(LOGIN, { email: 'ann@example.com', password: 'x' })

    assertProblem(right, 'email_unverified')
    assertProblem(wrong, 'invalid_credentials')
  })

  test('422 for a missing password', async () => {
    await using service = await startService()
    assertInvalid(await service.post(LOGIN, { email: 'ann@example.com' }), '/password', 'required')
  })
})
