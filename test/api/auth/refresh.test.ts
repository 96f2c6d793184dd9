import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../../../server/errors.ts'
import { mac } from '../../../server/keys/key-ring.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../server/lib/units.ts'
import { refreshTokenFor } from '../../../server/accounts/sessions.ts'
import {
  assertCleared,
  assertNoCookie,
  cookieOf,
  fromBrowser,
  keptBy,
  logInToCookie,
  OWN_PAGE,
  PLAIN_COOKIE,
  refreshInBrowser,
  SHOP,
  SHOP_COOKIE,
} from '../../support/cookies.ts'
import { eventsOf } from '../../support/events.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { times } from '../../support/races.ts'
import { type Answer, type Service, startService } from '../../support/service.ts'
import {
  assertDead,
  isLive,
  LOGOUT,
  REFRESH,
  refresh,
  sessionIdOf,
  type Tokens,
  tokensOf,
} from '../../support/sessions.ts'
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

  test('422 for a token in the query or a cookie of another name: nothing is rotated', async () => {
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

  describe('with the cookie', () => {
    for (const [why, body] of [
      ['no body', undefined],
      ['an empty object', {}],
      ['`cookie`', { cookie: true }],
      ['`cookie` false: what was in a cookie stays in one', { cookie: false }],
    ] as const) {
      test(`200 replaces its token, with ${why}`, async () => {
        await using service = await startService(SHOP)
        const ann = await service.addUser()

        const answer = await fromBrowser(service, REFRESH, ann.refresh, { body })

        const next = keptBy(answer)
        assert.match(next.refresh, /\.1\./)
        assert.equal(cookieOf(answer).maxAgeS, (7 * DAY_MS) / SECOND_MS)
        assert.equal((await service.get('/api/v1/me', { token: next.access })).body.id, ann.id)
        keptBy(await refreshInBrowser(service, next.refresh))
      })
    }

    test('200 among other cookies, however the browser joins them', async () => {
      await using service = await startService(SHOP)
      let { refresh: token } = await service.addUser()

      for (const [before, after] of [
        ['theme=dark; ', '; a=b=c; '],
        ['x=";', ';"'],
        [' \t', '\t '],
        [`${PLAIN_COOKIE}=evil; ${SHOP_COOKIE}2=evil; a${SHOP_COOKIE}=evil;`, `;${SHOP_COOKIE}`],
      ]) {
        const cookie = `${before}${SHOP_COOKIE}=${token}${after}`
        const answer = await service.post(REFRESH, undefined, { headers: { ...OWN_PAGE, cookie } })
        token = keptBy(answer).refresh
      }
    })

    test('200 keeps it no longer than the session: not beyond the absolute end', async () => {
      await using service = await startService({ ...SHOP, SESSION_MAX_DAYS: '10' })
      const ann = await service.addUser()
      service.advance(4.5 * DAY_MS)

      const renewed = await refreshInBrowser(service, ann.refresh)
      const repeated = await refreshInBrowser(service, ann.refresh)

      assert.equal(cookieOf(renewed).maxAgeS, (5.5 * DAY_MS) / SECOND_MS)
      assert.deepEqual(cookieOf(repeated), cookieOf(renewed))
    })

    test('200 with the same successor within the grace, also for two tabs at once', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()

      const answers = await Promise.all(times(5).map(() => refreshInBrowser(service, ann.refresh)))
      service.advance(GRACE_MS - 1)
      answers.push(await refreshInBrowser(service, ann.refresh))

      assert.equal(new Set(answers.map((answer) => keptBy(answer).refresh)).size, 1)
    })

    test('200 with `cookie` moves a token from the body into the cookie', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const body = { refresh_token: ann.refresh, cookie: true }

      const moved = keptBy(await fromBrowser(service, REFRESH, [], { body }))

      keptBy(await refreshInBrowser(service, moved.refresh))
    })

    test('200 with `cookie` ends the sessions that a cookie had before, whosever they were', async () => {
      await using service = await startService(SHOP)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const elsewhere = await service.logIn(ann.email)
      const before = [await logInToCookie(service, ann.email), await service.logIn(bob.email)]
      const cookies = [...before.map((session) => session.refresh), 'garbage', '']
      const body = { refresh_token: bob.refresh, cookie: true }

      const moved = keptBy(await fromBrowser(service, REFRESH, cookies, { body }))

      await assertDead(service, ...before)
      for (const session of [elsewhere, moved]) assert.ok(await isLive(service, session))
      const ended = await eventsOf(service, 'session.ended')
      assert.deepEqual(
        ended.map((event) => [event.actor_id, event.subject_id]),
        [ann, bob].map(({ id }) => [id, id]),
      )
    })

    test('200 with `cookie` keeps the session that moves, whichever of its tokens the cookie has', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const body = { refresh_token: ann.refresh, cookie: true }

      const moved = keptBy(await fromBrowser(service, REFRESH, ann.refresh, { body }))
      // The response was lost: the same request again, and again with the cookie that it set.
      for (const cookie of [ann.refresh, moved.refresh])
        assert.deepEqual(
          keptBy(await fromBrowser(service, REFRESH, cookie, { body })).refresh,
          moved.refresh,
        )

      assert.deepEqual(await eventsOf(service, 'session.ended'), [])
    })

    test('401 for a token in the body that is refused: the cookie stays, and so does its session', async () => {
      await using service = await startService(SHOP)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      await service.post(LOGOUT, { refresh_token: bob.refresh })

      for (const refresh_token of [bob.refresh, 'garbage']) {
        const body = { refresh_token, cookie: true }
        const answer = await fromBrowser(service, REFRESH, ann.refresh, { body })
        assertProblem(answer, 'invalid_token')
        assertNoCookie(answer)
      }

      assert.ok(await isLive(service, ann))
    })

    test('200, 401: a token in the body decides, and leaves the cookie alone', async () => {
      await using service = await startService(SHOP)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const ask = (refresh_token: string) =>
        fromBrowser(service, REFRESH, ann.refresh, { body: { refresh_token } })

      const renewed = await ask(bob.refresh)
      const refused = await ask('garbage')

      assert.match(newest(renewed), /\.1\./)
      assertProblem(refused, 'invalid_token')
      for (const answer of [renewed, refused]) assertNoCookie(answer)
      assert.match(keptBy(await refreshInBrowser(service, ann.refresh)).refresh, /\.1\./)
    })

    test('401 for a replayed one ends the session with a mail', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const successor = keptBy(await refreshInBrowser(service, ann.refresh))
      service.advance(GRACE_MS)

      const answer = await refreshInBrowser(service, ann.refresh)

      assertProblem(answer, 'invalid_token')
      assertNoCookie(answer)
      await assertDead(service, successor, ann)
      assert.equal(await warningsTo(service, ann.email), 1)
    })

    for (const [why, value] of [
      ['forged', (ann) => respell(ann.refresh)],
      ['cut', (ann) => ann.refresh.slice(0, -1)],
      ['in quotes', (ann) => `"${ann.refresh}"`],
      ['encoded', (ann) => ann.refresh.replace('.', '%2E')],
      ['an access token', (ann) => ann.access],
      ['there twice', (ann) => [ann.refresh, ann.refresh]],
      ['there beside one of somebody else', (ann, evil) => [evil.refresh, ann.refresh]],
      ['there beside an empty one', (ann) => ['', ann.refresh]],
      ['empty', () => ''],
      ['5 kB long', () => 'x'.repeat(5000)],
      ['garbage', () => "' or '1'='1"],
      ['a prototype', () => '__proto__'],
    ] satisfies [string, (ann: Tokens, evil: Tokens) => string | string[]][]) {
      test(`401 for a cookie that is ${why}: it is cleared, nothing is rotated`, async () => {
        await using service = await startService(SHOP)
        const [ann, evil] = [await service.addUser(), await service.addUser()]

        const answer = await fromBrowser(service, REFRESH, value(ann, evil))

        assertProblem(answer, 'invalid_token')
        assertCleared(answer)
        assert.match(newest(await refresh(service, ann.refresh)), /\.1\./)
        assert.match(newest(await refresh(service, evil.refresh)), /\.1\./)
      })
    }

    test('401 authentication_required with `cookie`, but no cookie', async () => {
      await using service = await startService(SHOP)

      const answer = await fromBrowser(service, REFRESH, [], { body: { cookie: true } })

      assertProblem(answer, 'authentication_required')
      assertNoCookie(answer)
    })

    test('422 for a wrong field, 503 in an outage: the cookie stays', async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const { autocommit } = service.ctx
      const down = () => Promise.reject(new AppError('database_unavailable', { retryAfterS: 1 }))

      const wrong = await fromBrowser(service, REFRESH, ann.refresh, { body: { cookie: 'true' } })
      Object.assign(service.ctx, { autocommit: down })
      const answer = await refreshInBrowser(service, ann.refresh)
      Object.assign(service.ctx, { autocommit })

      assertInvalid(wrong, '/cookie', 'type')
      assertProblem(answer, 'database_unavailable')
      for (const kept of [wrong, answer]) assertNoCookie(kept)
      keptBy(await refreshInBrowser(service, ann.refresh))
    })
  })
})
