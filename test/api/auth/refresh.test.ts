import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mac } from '../../../server/keys/key-ring.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../server/lib/units.ts'
import { refreshTokenFor } from '../../../server/accounts/sessions.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { type Answer, type Service, startService } from '../../support/service.ts'
import { assertDead, REFRESH, refresh, sessionIdOf, tokensOf } from '../../support/sessions.ts'
import { respell } from '../../support/tokens.ts'

const GRACE_MS = 30 * SECOND_MS

/** The refresh token of an answer that must be a success. */
const newest = (answer: Answer): string => tokensOf(answer).refresh

async function warningsTo(service: Service, email: string): Promise<number> {
  await service.deliverMail()
  return service.mailsTo(email).filter((mail) => mail.subject.includes('logged out one of your'))
    .length
}

describe('POST /auth/refresh', () => {
  test('200 gives a new pair; the access token before it goes on to its end', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await refresh(service, ann.refresh)

    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body).toSorted(), [
      'access_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ])
    assert.notEqual(answer.body.refresh_token, ann.refresh)
    for (const token of [ann.access, answer.body.access_token]) {
      assert.equal((await service.get('/api/v1/me', { token })).body.id, ann.id)
    }
    newest(await refresh(service, answer.body.refresh_token))
  })

  test('200 for a form, whatever Basic header comes with it', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const headers = { authorization: 'Basic YTpi' }
    const form = { refresh_token: ann.refresh }

    newest(await service.request('POST', REFRESH, { form, headers }))
  })

  test('200 with the same successor for a repetition within the grace', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const successor = newest(await refresh(service, ann.refresh))

    for (const ms of [0, 10 * SECOND_MS, GRACE_MS - 10 * SECOND_MS - 1]) {
      service.advance(ms)
      assert.equal(newest(await refresh(service, ann.refresh)), successor)
    }

    newest(await refresh(service, successor))
    assert.equal(await warningsTo(service, ann.email), 0)
  })

  for (const [why, settings, ageMs] of [
    ['the default grace', {}, GRACE_MS],
    ['another grace', { REFRESH_GRACE_SECONDS: '5' }, 5 * SECOND_MS],
    ['no grace', { REFRESH_GRACE_SECONDS: '0' }, 0],
  ] as const) {
    test(`401 invalid_token for the predecessor at the end of ${why}: the session ends, one mail`, async () => {
      await using service = await startService(settings)
      const ann = await service.addUser()
      const successor = tokensOf(await refresh(service, ann.refresh))
      service.advance(ageMs)

      assertProblem(await refresh(service, ann.refresh), 'invalid_token')

      await assertDead(service, successor, ann)
      assert.equal(await warningsTo(service, ann.email), 1)
    })
  }

  test('401 invalid_token for an older one within the grace: the session ends, one mail', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const other = await service.logIn(ann.email)
    const second = newest(await refresh(service, ann.refresh))
    const third = newest(await refresh(service, second))

    for (let time = 1; time <= 3; time++) {
      assertProblem(await refresh(service, ann.refresh), 'invalid_token')
    }

    await assertDead(service, { access: ann.access, refresh: third })
    newest(await refresh(service, other.refresh))
    assert.equal(await warningsTo(service, ann.email), 1)
  })

  test('401 invalid_token for one from the future: the session ends without a mail', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const future = refreshTokenFor(service.ctx.keys, sessionIdOf(ann), 2)

    assertProblem(await refresh(service, future), 'invalid_token')

    await assertDead(service, ann)
    assert.equal(await warningsTo(service, ann.email), 0)
  })

  test('401 invalid_token for one that we did not make touches nothing', async (t) => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()
    const second = newest(await refresh(service, ann.refresh))
    const third = newest(await refresh(service, second))
    const [id = '', generation = '', tag = ''] = third.split('.')
    const { keys } = service.ctx

    for (const [why, token] of [
      ['another generation', `${id}.0.${tag}`],
      ['a later generation', `${id}.9.${tag}`],
      ['another session', `${sessionIdOf(bob)}.${generation}.${tag}`],
      ['the same bytes in another spelling', respell(third)],
      ['a cut MAC', third.slice(0, -1)],
      ['a longer MAC', `${third}A`],
      ['no MAC', `${id}.${generation}.`],
      ['a zero before the generation', `${id}.0${generation}.${tag}`],
      ['a sign before the generation', `${id}.+${generation}.${tag}`],
      ['a huge generation', `${id}.${'9'.repeat(20)}.${tag}`],
      ['capitals', `${id.toUpperCase()}.${generation}.${tag}`],
      ['a space after it', `${third} `],
      ['a line feed after it', `${third}\n`],
      ['a key for something else', `${id}.0.${mac(keys.current.of.code, `refresh:${id}:0`)}`],
      ['the secret itself as key', `${id}.0.${mac(keys.current.accessToken, `refresh:${id}:0`)}`],
      ['a text of another purpose', `${id}.0.${mac(keys.current.of.refresh, `${id}:0`)}`],
      ['a session that never was', refreshTokenFor(keys, crypto.randomUUID(), 0)],
      ['an access token', ann.access],
      ['garbage', "' or '1'='1"],
    ] as const) {
      await t.test(why, async () => {
        const answer = await refresh(service, token)
        assertProblem(answer, 'invalid_token')
        assert.equal(answer.headers['www-authenticate'], 'Bearer')
      })
    }

    assert.match(newest(await refresh(service, third)), /\.3\./)
    assert.match(newest(await refresh(service, bob.refresh)), /\.1\./)
    assert.equal(await warningsTo(service, ann.email), 0)
  })

  for (const [why, change, mend] of [
    ['was disabled', { disabled_at: '2026-01-01T00:00:00.000Z' }, { disabled_at: null }],
    ['is unverified', { verified_at: null }, { verified_at: '2026-01-01T00:00:00.000Z' }],
  ] as const) {
    test(`401 invalid_token while the user ${why} in the database; the session waits`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const current = newest(await refresh(service, ann.refresh))
      const write = (values: typeof change | typeof mend) =>
        service.ctx.transaction((tx) =>
          tx.updateTable('users').set(values).where('id', '=', ann.id).execute(),
        )
      await write(change)

      const refused = [
        await refresh(service, current),
        // The predecessor within the grace, and one from the future.
        await refresh(service, ann.refresh),
        await refresh(service, refreshTokenFor(service.ctx.keys, sessionIdOf(ann), 7)),
      ]

      for (const answer of refused) assertProblem(answer, 'invalid_token')
      await write(mend)
      assert.equal(await warningsTo(service, ann.email), 0)
      newest(await refresh(service, current))
    })
  }

  test('401 invalid_token after the user was deleted in the database', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.ctx.transaction((tx) => tx.deleteFrom('users').where('id', '=', ann.id).execute())

    assertProblem(await refresh(service, ann.refresh), 'invalid_token')
  })

  test('401 invalid_token after seven unused days; each use starts them anew', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    service.advance(7 * DAY_MS - 1)
    const second = newest(await refresh(service, ann.refresh))
    service.advance(7 * DAY_MS - 1)
    const third = newest(await refresh(service, second))
    service.advance(7 * DAY_MS)

    assertProblem(await refresh(service, third), 'invalid_token')
    // A repetition of the one before is too late as well, and nobody is told: nothing was copied.
    assertProblem(await refresh(service, second), 'invalid_token')
    assert.equal(await warningsTo(service, ann.email), 0)
  })

  test('401 invalid_token from the absolute end, which no refresh puts off', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    let token = ann.refresh
    for (let day = 6; day <= 24; day += 6) {
      service.advance(6 * DAY_MS)
      token = newest(await refresh(service, token))
    }
    service.advance(6 * DAY_MS - MINUTE_MS)
    const last = tokensOf(await refresh(service, token))

    service.advance(MINUTE_MS)

    await assertDead(service, last)
    assertProblem(await refresh(service, token), 'invalid_token')
  })

  test('422 for a token in the query or a cookie: nothing is rotated', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = `${REFRESH}?refresh_token=${ann.refresh}`
    const headers = { cookie: `refresh_token=${ann.refresh}` }

    assertProblem(await service.post(url), 'validation_failed')
    assertInvalid(await service.post(url, {}), '/refresh_token', 'required')
    assertInvalid(await service.post(REFRESH, {}, { headers }), '/refresh_token', 'required')

    assert.match(newest(await refresh(service, ann.refresh)), /\.1\./)
  })

  test('422 for what cannot be a token', async (t) => {
    await using service = await startService()
    for (const [why, body] of [
      ['null', { refresh_token: null }],
      ['a number', { refresh_token: 1 }],
      ['a list', { refresh_token: ['x'] }],
      ['an empty text', { refresh_token: '' }],
      ['more than 512 characters', { refresh_token: 'x'.repeat(513) }],
    ] as const) {
      await t.test(why, async () =>
        assertInvalid(await service.post(REFRESH, body), '/refresh_token'),
      )
    }
  })

  test('422 for an unknown field and for a parameter sent twice', async () => {
    await using service = await startService()
    const { refresh: token } = await service.addUser()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }

    const unknown = await service.post(REFRESH, { refresh_token: token, scope: 'x' })
    const oauth = { refresh_token: token, grant_type: 'refresh_token' }
    const inForm = await service.request('POST', REFRESH, { form: oauth })
    const twice = `refresh_token=${token}&refresh_token=${token}`

    assertInvalid(unknown, '/scope', 'additionalProperties')
    assertInvalid(inForm, '/grant_type', 'additionalProperties')
    assertInvalid(await service.post(REFRESH, twice, { headers }), '/refresh_token', 'type')
    assert.match(newest(await refresh(service, token)), /\.1\./)
  })

  test('the database holds nothing from which a token could be made', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const second = newest(await refresh(service, ann.refresh))
    newest(await refresh(service, second))
    assertProblem(await refresh(service, ann.refresh), 'invalid_token')

    const { db } = service.ctx
    const sessions = await db.selectFrom('sessions').selectAll().execute()
    const outbox = await db.selectFrom('outbox').selectAll().execute()

    const dump = JSON.stringify([sessions, outbox])
    assert.ok(dump.includes(sessionIdOf(ann)))
    for (const token of [ann.refresh, second, ann.access]) {
      assert.ok(!dump.includes(token.split('.')[2] ?? ''))
    }
  })
})
