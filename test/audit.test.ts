import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '../server/lib/units.ts'
import { refreshTokenFor } from '../server/accounts/sessions.ts'
import { makeFirstAdmin } from '../server/accounts/admins.ts'
import { removeUser } from '../server/api/user-changes.ts'
import { changeEmail } from './support/email-changes.ts'
import { times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const IP = '203.0.113.7'
const REFRESH = '/api/v1/auth/refresh'
const email = 'ann@example.com'
const password = PASSWORD

/** What was recorded about a user, oldest first. */
const eventsAbout = async ({ ctx }: Service, subjectId: number) =>
  (await rowsOf(ctx, 'audit_events'))
    .filter((row) => row.subject_id === subjectId)
    .map((row) => ({ ...row, changes: JSON.parse(row.changes) }))
    .toSorted((one, other) => one.id - other.id)

const lastAbout = async (service: Service, subjectId: number) =>
  (await eventsAbout(service, subjectId)).at(-1) ?? assert.fail('nothing was recorded')

describe('the audit log', () => {
  test('tells the life of an account: who, from where, with which request', async () => {
    await using service = await startService()
    const { codeFor, post } = service

    const signedUp = await post('/api/v1/auth/signup', { email, password }, { ip: IP })
    const code = await codeFor(email)
    const verified = await post('/api/v1/auth/verify', { email, code }, { ip: IP })
    const loggedIn = await post('/api/v1/auth/login', { email, password }, { ip: IP })
    const { access_token: token, refresh_token: first } = loggedIn.body
    const renamed = await service.patch('/api/v1/me', { full_name: 'Ann' }, { token, ip: IP })
    const { body } = await post(REFRESH, { refresh_token: first })
    const refresh_token = body.refresh_token
    const loggedOut = await post('/api/v1/auth/logout', { refresh_token }, { ip: IP })

    const id = renamed.body.id
    const events = await eventsAbout(service, id)
    assert.deepEqual(
      events.map(({ event, actor_id, ip, request_id }) => [event, actor_id, ip, request_id]),
      [
        ['sign_up.received', null, IP, signedUp.headers['x-request-id']],
        ['user.verified', null, IP, verified.headers['x-request-id']],
        ['session.opened', id, IP, loggedIn.headers['x-request-id']],
        ['user.changed', id, IP, renamed.headers['x-request-id']],
        ['session.ended', id, IP, loggedOut.headers['x-request-id']],
      ],
    )
    assert.deepEqual(events[3]?.changes, { fields: ['full_name'] })
  })

  test('names the replayed session, and its owner as the subject, not as the actor', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    let token = ann.refresh
    for (let n = 0; n < 2; n++) {
      const { body } = await service.post(REFRESH, { refresh_token: token })
      token = body.refresh_token
    }

    await service.post(REFRESH, { refresh_token: ann.refresh }, { ip: IP })

    const { event, actor_id, ip, changes } = await lastAbout(service, ann.id)
    assert.deepEqual([event, actor_id, ip], ['session.replayed', null, IP])
    assert.deepEqual(changes, { session_id: ann.refresh.split('.')[0] })
  })

  test('names the session that a token which was never issued ended, and why', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const [session_id = ''] = ann.refresh.split('.')
    const refresh_token = refreshTokenFor(service.ctx.keys, session_id, 5)

    await service.post(REFRESH, { refresh_token }, { ip: IP })

    const { event, actor_id, ip, changes } = await lastAbout(service, ann.id)
    assert.deepEqual([event, actor_id, ip], ['session.ended', null, IP])
    assert.deepEqual(changes, { session_id, reason: 'unissued_token' })
  })

  test('names the session that the 21st login ended', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    for (let n = 0; n < 20; n++) {
      service.advance(1)
      await service.logIn(ann.email)
    }

    const { event, changes } = await lastAbout(service, ann.id)
    assert.equal(event, 'session.opened')
    assert.deepEqual(changes.ended, [ann.refresh.split('.')[0]])
  })

  test('has no second end of a session that was over by itself', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const before = await eventsAbout(service, ann.id)
    service.advance(7 * DAY_MS)

    const answer = await service.post('/api/v1/auth/logout', { refresh_token: ann.refresh })

    assert.equal(answer.status, 204)
    assert.deepEqual(await eventsAbout(service, ann.id), before)
  })

  test('names the admin as the actor, and what was before and after', async () => {
    await using service = await startService()
    const boss = await service.addAdmin()
    const ann = await service.addUser()
    const url = `/api/v1/users/${ann.id}`
    const before = (await eventsAbout(service, ann.id)).length
    const as = { token: boss.access, ip: IP }

    await service.patch(url, { role: 'admin', full_name: 'Ann' }, as)
    await service.patch(url, { disabled: true }, as)
    await service.patch(url, { disabled: false }, as)
    await service.delete(`${url}/sessions`, as)
    await service.delete(url, as)

    const events = (await eventsAbout(service, ann.id)).slice(before)
    assert.deepEqual(
      events.map(({ event, changes }) => [event, changes]),
      [
        ['user.changed', { fields: ['full_name'] }],
        ['user.role_changed', { before: 'user', after: 'admin' }],
        ['user.disabled', {}],
        ['user.enabled', {}],
        ['sessions.ended', {}],
        ['user.deleted', {}],
      ],
    )
    assert.ok(events.every(({ actor_id, ip }) => actor_id === boss.id && ip === IP))
  })

  test('has nothing of what was refused, changed nothing, or was rolled back', async () => {
    await using service = await startService()
    const boss = await service.addAdmin()
    const ann = await service.addUser()
    const as = { token: boss.access }
    const before = await eventsAbout(service, boss.id)
    const beforeAnn = await eventsAbout(service, ann.id)

    await service.patch(`/api/v1/users/${boss.id}`, { role: 'user' }, as)
    await service.delete(`/api/v1/users/${boss.id}`, as)
    await service.patch(`/api/v1/users/${ann.id}`, { role: 'user', disabled: false }, as)
    await service.patch(`/api/v1/users/${ann.id}`, {}, as)
    await service.post('/api/v1/auth/verify', { email: ann.email, code: '000000' })
    await assert.rejects(removeUser(service.ctx, boss.id), { code: 'last_admin' })

    assert.deepEqual(await eventsAbout(service, boss.id), before)
    assert.deepEqual(await eventsAbout(service, ann.id), beforeAnn)
  })

  test('begins with the first admin, whom an operator made', async () => {
    await using service = await startService({
      ADMIN_EMAIL: 'boss@example.com',
      ADMIN_PASSWORD: 'the long password of the admin',
    })

    const [{ id }] = await rowsOf(service.ctx, 'users')
    const events = await eventsAbout(service, id)

    assert.deepEqual(
      events.map(({ event, actor_id, changes }) => [event, actor_id, changes]),
      [['user.created', null, { role: 'admin' }]],
    )
  })

  test('knows an operator by the absence of actor, address and request', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    await removeUser(service.ctx, ann.id)

    const { event, actor_id, ip, request_id } = await lastAbout(service, ann.id)
    assert.deepEqual([event, actor_id, ip, request_id], ['user.deleted', null, null, null])
  })

  test('is in the order of the commits: changes of a role at once form a chain', async () => {
    await using service = await startService()
    const boss = await service.addAdmin()
    const ann = await service.addUser()
    const url = `/api/v1/users/${ann.id}`

    await Promise.all(
      times(20).map((n) =>
        service.patch(url, { role: n % 2 === 0 ? 'admin' : 'user' }, { token: boss.access }),
      ),
    )

    const events = await eventsAbout(service, ann.id)
    const changes = events
      .filter(({ event }) => event === 'user.role_changed')
      .map((event) => event.changes as { before: string; after: string })
    const { body } = await service.get(url, { token: boss.access })
    assert.ok(changes.length > 0)
    changes.forEach(({ before }, n) => assert.equal(before, changes[n - 1]?.after ?? 'user'))
    assert.equal(body.role, changes.at(-1)?.after)
  })

  for (const [why, takePlace] of [
    ['a later sign-up', (service) => service.signUp(email)],
    ['an operator', ({ ctx }) => makeFirstAdmin(ctx, email, 'the long password of the admin')],
    [
      'who proves its address',
      async (service) => changeEmail(service, await service.addUser(), email),
    ],
  ] satisfies [string, (service: Service) => Promise<unknown>][]) {
    test(`has one deletion, without a network, of an account nobody verified whose place takes ${why}`, async () => {
      await using service = await startService()
      await service.signUp(email)
      const [{ id }] = await rowsOf(service.ctx, 'users')
      service.advance(47.5 * HOUR_MS)

      await takePlace(service)

      const events = await eventsAbout(service, id)
      const names = events.map(({ event }) => event)
      assert.deepEqual(names, ['sign_up.received', 'user.deleted'])
      assert.equal(events[0]?.ip, null)
    })
  }
})
