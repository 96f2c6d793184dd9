import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deliverBy, REFUSED } from '../../support/mailers.ts'
import { pagesFrom } from '../../support/pages.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { nextOf } from '../../support/users.ts'

const MAIL = '/api/v1/mail'

async function startWithAdmin() {
  const service = await startService()
  const { access: token } = await service.addAdmin('boss@example.com')
  return { service, token, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

describe('GET /mail', () => {
  test('200 says of each message where it went and how it ended, never what it says', async () => {
    await using started = await startWithAdmin()
    const { service, token } = started
    await service.signUp('ann@example.com')
    await deliverBy(service, () => REFUSED)

    const answer = await service.get(`${MAIL}?state=bounced`, { token })

    assert.equal(answer.status, 200)
    const [mail, ...others] = answer.body
    const { id, user_id, created_at, due_at, finished_at, ...rest } = mail
    assert.deepEqual(others, [])
    assert.deepEqual(rest, {
      kind: 'verification',
      channel: 'mail',
      state: 'bounced',
      recipient: 'ann@example.com',
      claims: 1,
      refusals: 0,
      last_error: REFUSED.message,
    })
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.equal(typeof user_id, 'number')
    assert.deepEqual([created_at, due_at, finished_at], Array(3).fill('2026-01-01T12:00:00.000Z'))
    assert.doesNotMatch(answer.text, /payload|signUpId/)
  })

  test('200 the newest first, page by page, each message once, whatever is added meanwhile', async () => {
    await using started = await startWithAdmin()
    const { service, token } = started
    for (let n = 0; n < 7; n++) {
      await service.signUp(`user${n}@example.com`)
      // Two of each time: the id decides then.
      if (n % 2) service.advance(1)
    }
    const all = await service.get(`${MAIL}?kind=verification&limit=100`, { token })
    const first = await service.get(`${MAIL}?kind=verification&limit=3`, { token })
    await service.signUp('late@example.com')

    const rest = await pagesFrom(service, nextOf(first) ?? '', { token })

    const ids = [first.body, ...rest].flat().map((mail: { id: string }) => mail.id)
    assert.deepEqual(
      ids,
      all.body.map((mail: { id: string }) => mail.id),
    )
    assert.equal(ids.length, 7)
    const times = all.body.map((mail: { created_at: string }) => mail.created_at)
    assert.deepEqual(times, times.toSorted().toReversed())
    assert.equal(all.headers['link'], undefined)
  })

  test('200 with those of one state and kind only', async () => {
    await using started = await startWithAdmin()
    const { service, token } = started
    await service.registerUser('sent@example.com')
    await service.signUp('ann@example.com')
    const kindsOf = async (query: string) =>
      (await service.get(`${MAIL}?${query}`, { token })).body.map(
        ({ kind, state }: Record<string, string>) => `${kind} ${state}`,
      )

    assert.deepEqual(await kindsOf('state=waiting&kind=verification'), ['verification waiting'])
    assert.deepEqual(await kindsOf('state=sent'), ['verification sent'])
    assert.deepEqual(await kindsOf('state=dead'), [])
    assert.deepEqual(await kindsOf('kind=account_deleted'), [])
  })

  test('422 for a cursor of other filters, of another list, or made up', async () => {
    await using started = await startWithAdmin()
    const { service, token } = started
    await service.signUp('ann@example.com')
    await service.signUp('bob@example.com')
    const cursorOf = async (url: string) =>
      /after=([^&]+)/.exec(nextOf(await service.get(url, { token })) ?? '')?.[1] ?? ''
    const cursors = [
      await cursorOf(`${MAIL}?limit=1&kind=verification`),
      await cursorOf('/api/v1/users?limit=1'),
      'made-up',
    ]

    for (const cursor of cursors) {
      assert.notEqual(cursor, '')
      const answer = await service.get(`${MAIL}?after=${cursor}`, { token })
      assertProblem(answer, 'validation_failed')
      assert.equal(answer.body.errors[0].pointer, 'after')
    }
  })

  for (const query of [
    'state=lost',
    'kind=%25',
    'kind=postcard',
    'limit=0',
    'limit=101',
    'skip=1',
    'after=',
  ]) {
    test(`422 for ${query}`, async () => {
      await using started = await startWithAdmin()
      const { service, token } = started

      assertProblem(await service.get(`${MAIL}?${query}`, { token }), 'validation_failed')
    })
  }

  test('403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()

    assertProblem(await service.get(MAIL, { token }), 'forbidden')
    assertProblem(await service.get(MAIL), 'authentication_required')
  })
})
