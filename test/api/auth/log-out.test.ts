import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../../../server/lib/units.ts'
import { AppError } from '../../../server/errors.ts'
import { refreshTokenFor } from '../../../server/accounts/sessions.ts'
import { assertCleared, assertNoCookie, fromBrowser, SHOP } from '../../support/cookies.ts'
import { eventsOf } from '../../support/events.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { type Answer, type Service, startService } from '../../support/service.ts'
import {
  assertDead,
  isLive,
  LOGOUT,
  refresh,
  sessionIdOf,
  type Tokens,
  tokensOf,
} from '../../support/sessions.ts'
import { respell } from '../../support/tokens.ts'

function assertDone(answer: Answer): void {
  assert.equal(answer.status, 204, answer.text)
  assert.equal(answer.text, '')
  assert.equal(answer.headers['cache-control'], 'no-store')
}

describe('POST /auth/logout', () => {
  test('204 by refresh token ends that session and no other', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const other = await service.logIn(ann.email)

    assertDone(await service.post(LOGOUT, { refresh_token: ann.refresh }))

    await assertDead(service, ann)
    assert.ok(await isLive(service, other))
  })

  for (const [why, body] of [
    ['without a body', undefined],
    ['with an empty object', {}],
  ] as const) {
    test(`204 by Bearer token alone, ${why}`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const other = await service.logIn(ann.email)

      assertDone(await service.post(LOGOUT, body, { token: ann.access }))

      await assertDead(service, ann)
      assert.ok(await isLive(service, other))
    })
  }

  test('204 by refresh token when the access token has expired', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    service.advance(HOUR_MS)

    const sent = { refresh_token: ann.refresh }
    assertDone(await service.post(LOGOUT, sent, { token: ann.access }))

    await assertDead(service, ann)
  })

  for (const [why, generation] of [
    ['older', 0],
    ['newest', 2],
    ['future', 7],
  ] as const) {
    test(`204 for a refresh token of an ${why} generation ends the session without a mail`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const second = tokensOf(await refresh(service, ann.refresh))
      const third = tokensOf(await refresh(service, second.refresh))
      const mails = service.mailsTo(ann.email).length

      const refresh_token = refreshTokenFor(service.ctx.keys, sessionIdOf(ann), generation)
      assertDone(await service.post(LOGOUT, { refresh_token }))

      await assertDead(service, third)
      await service.deliverMail()
      assert.equal(service.mailsTo(ann.email).length, mails)
    })
  }

  test('204 again for a session that has ended', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    for (let time = 1; time <= 3; time++) {
      assertDone(await service.post(LOGOUT, { refresh_token: ann.refresh }))
    }
  })

  for (const [why, make] of [
    ['of a session that never was', (s) => refreshTokenFor(s.ctx.keys, crypto.randomUUID(), 0)],
    ['with a wrong MAC', (_, ann) => respell(ann.refresh)],
    ['of another generation’s MAC', (_, ann) => ann.refresh.replace('.0.', '.1.')],
    ['that is garbage', () => 'garbage'],
    ['that is an access token', (_, ann) => ann.access],
  ] satisfies [string, (service: Service, ann: Tokens) => string][]) {
    test(`204 for a refresh token ${why} ends nothing, not even the Bearer token’s session`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const refresh_token = make(service, ann)

      assertDone(await service.post(LOGOUT, { refresh_token }))
      assertDone(await service.post(LOGOUT, { refresh_token }, { token: ann.access }))

      assert.ok(await isLive(service, ann))
    })
  }

  test('204 with both: the body decides', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()

    assertDone(await service.post(LOGOUT, { refresh_token: bob.refresh }, { token: ann.access }))

    await assertDead(service, bob)
    assert.ok(await isLive(service, ann))
  })

  test('401 authentication_required when neither is sent', async () => {
    await using service = await startService()
    for (const body of [undefined, {}]) {
      const answer = await service.post(LOGOUT, body)
      assertProblem(answer, 'authentication_required')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    }
  })

  for (const [why, token] of [
    ['garbage', () => 'garbage'],
    ['a refresh token', (ann) => ann.refresh],
    ['that of an ended session', (ann) => ann.access],
  ] satisfies [string, (ann: Tokens) => string][]) {
    test(`401 invalid_token for ${why} as Bearer token alone`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const other = await service.logIn(ann.email)
      await service.post(LOGOUT, { refresh_token: ann.refresh })

      const answer = await service.post(LOGOUT, undefined, { token: token(ann) })

      assertProblem(answer, 'invalid_token')
      assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
      assert.ok(await isLive(service, other))
    })
  }

  for (const [why, body, pointer] of [
    ['null in place of a token', { refresh_token: null }, '/refresh_token'],
    ['an empty token', { refresh_token: '' }, '/refresh_token'],
    ['a number in place of a token', { refresh_token: 1 }, '/refresh_token'],
    ['an unknown field', { all: true }, '/all'],
  ] as const) {
    test(`422 for ${why}, and the Bearer token’s session goes on`, async () => {
      await using service = await startService()
      const ann = await service.addUser()

      assertInvalid(await service.post(LOGOUT, body, { token: ann.access }), pointer)

      assert.ok(await isLive(service, ann))
    })
  }

  test('422 for JSON null, 415 for a form, 405 for GET: nothing ends', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const headers = { 'content-type': 'application/json' }
    const form = { refresh_token: ann.refresh }

    const ofNull = await service.post(LOGOUT, 'null', { token: ann.access, headers })
    assertProblem(ofNull, 'validation_failed')
    assertProblem(await service.request('POST', LOGOUT, { form }), 'unsupported_media_type')
    assertProblem(await service.get(LOGOUT, { token: ann.access }), 'method_not_allowed')

    assert.ok(await isLive(service, ann))
  })

  describe('with the cookie', () => {
    for (const [why, body] of [
      ['without a body', undefined],
      ['with an empty object', {}],
    ] as const) {
      test(`204 ends its session and clears it, ${why}`, async () => {
        await using service = await startService(SHOP)
        const ann = await service.addUser()
        const other = await service.logIn(ann.email)

        const answer = await fromBrowser(service, LOGOUT, ann.refresh, { body })

        assertDone(answer)
        assertCleared(answer)
        await assertDead(service, ann)
        assert.ok(await isLive(service, other))
        const [event] = await eventsOf(service, 'session.ended')
        assert.deepEqual([event?.actor_id, event?.subject_id], [ann.id, ann.id])
      })
    }

    for (const [why, value] of [
      ['garbage', () => 'garbage'],
      ['empty', () => ''],
      ['forged', (ann) => respell(ann.refresh)],
      ['an access token', (ann) => ann.access],
      ['5 kB long', () => 'x'.repeat(5000)],
    ] satisfies [string, (ann: Tokens) => string][]) {
      test(`204 clears a cookie that is ${why}, and ends nothing`, async () => {
        await using service = await startService(SHOP)
        const ann = await service.addUser()

        const answer = await fromBrowser(service, LOGOUT, value(ann))

        assertDone(answer)
        assertCleared(answer)
        assert.ok(await isLive(service, ann))
      })
    }

    test('204 clears the cookie of a session that has ended', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      assertDone(await service.post(LOGOUT, { refresh_token: ann.refresh }))

      const answer = await fromBrowser(service, LOGOUT, ann.refresh)

      assertDone(answer)
      assertCleared(answer)
    })

    test('204 ends the sessions of two cookies of the name: a planted one protects none', async () => {
      await using service = await startService(SHOP)
      const [ann, evil] = [await service.addUser(), await service.addUser()]

      assertDone(await fromBrowser(service, LOGOUT, [evil.refresh, ann.refresh]))

      await assertDead(service, ann, evil)
    })

    test('503 keeps the cookie in an outage, so that the log-out can be repeated', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const { transaction } = service.ctx
      const down = () => Promise.reject(new AppError('database_unavailable', { retryAfterS: 1 }))

      Object.assign(service.ctx, { transaction: down })
      const failed = await fromBrowser(service, LOGOUT, ann.refresh)
      Object.assign(service.ctx, { transaction })
      const done = await fromBrowser(service, LOGOUT, ann.refresh)

      assertProblem(failed, 'database_unavailable')
      assertNoCookie(failed)
      assertCleared(done)
      await assertDead(service, ann)
    })

    test('204 beside a token in the body: nothing of the browser stays logged in', async () => {
      await using service = await startService(SHOP)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const body = { refresh_token: bob.refresh }

      const answer = await fromBrowser(service, LOGOUT, ann.refresh, { body })

      assertDone(answer)
      assertCleared(answer)
      await assertDead(service, ann, bob)
    })

    test('204 beside a Bearer token ends that session, too', async () => {
      await using service = await startService(SHOP)
      const [ann, bob] = [await service.addUser(), await service.addUser()]

      assertDone(await fromBrowser(service, LOGOUT, ann.refresh, { token: bob.access }))

      await assertDead(service, ann, bob)
    })

    test('204 beside a Bearer token that has expired', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      service.advance(HOUR_MS)

      const answer = await fromBrowser(service, LOGOUT, ann.refresh, { token: ann.access })

      assertDone(answer)
      assertCleared(answer)
      assertProblem(await refresh(service, ann.refresh), 'invalid_token')
    })
  })
})
