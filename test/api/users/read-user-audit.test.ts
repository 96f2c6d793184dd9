import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { recordEvent } from '../../../server/audit/events.ts'
import { eventsOf } from '../../support/events.ts'
import { pagesFrom } from '../../support/pages.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { nextOf, USERS } from '../../support/users.ts'

async function startWithAdmin() {
  const service = await startService()
  const admin = await service.addAdmin()
  const { access: token } = admin
  const read = (id: number, query = '') => service.get(`${USERS}/${id}/audit?${query}`, { token })
  return {
    service,
    admin,
    token,
    read,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

describe('GET /users/{id}/audit', () => {
  test('200 with what was done to the user and by the user, in the form of GET /audit', async () => {
    await using started = await startWithAdmin()
    const { service, admin, token, read } = started
    const [ann, bob] = [await service.addUser(), await service.addAdmin()]
    await service.patch(`${USERS}/${ann.id}`, { role: 'admin' }, { token })
    await service.logIn(ann.email)
    await service.patch(`${USERS}/${bob.id}`, { full_name: 'Bob' }, { token: ann.access })
    await service.patch(`${USERS}/${bob.id}`, { full_name: 'Bo' }, { token })
    await service.get(USERS, { token: ann.access })

    const { status, body } = await read(ann.id)

    assert.equal(status, 200)
    const rows = body.map((row: Record<string, unknown>) => [
      row['event'],
      row['actor_id'],
      row['subject_id'],
    ])
    assert.deepEqual(rows, [
      ['users.read', ann.id, null],
      ['user.changed', ann.id, bob.id],
      ['session.opened', ann.id, ann.id],
      ['user.role_changed', admin.id, ann.id],
    ])
    const all = await service.get('/api/v1/audit?event=user.role_changed', { token })
    assert.deepEqual(body.at(-1), all.body[0])
  })

  test('200 page by page, each event once, whatever is added meanwhile', async () => {
    await using started = await startWithAdmin()
    const { service, admin, token, read } = started
    const ann = await service.addUser()
    const record = (actorId: number, subjectId: number | undefined) =>
      service.ctx.transaction((tx) => {
        const about = { actorId, ...(subjectId !== undefined && { subjectId }) }
        return recordEvent(tx, { event: 'user.changed', ...about }, service.ctx.now())
      })
    for (const [actorId, subjectId] of [
      [ann.id, ann.id],
      [ann.id, admin.id],
      [admin.id, ann.id],
      [ann.id, undefined],
      [ann.id, ann.id],
      [admin.id, admin.id],
    ] as const)
      await record(actorId, subjectId)
    const { body: all } = await read(ann.id)

    const pages = await pagesFrom(service, `${USERS}/${ann.id}/audit?limit=2`, {
      token,
      between: () => record(ann.id, ann.id),
    })

    assert.equal(all.length, 5)
    assert.deepEqual(pages.flat(), all)
  })

  test('422 for a cursor of another user or list, and for filters', async () => {
    await using started = await startWithAdmin()
    const { service, admin, token, read } = started
    const ann = await service.addUser()
    await service.logIn(ann.email)
    await service.logIn(ann.email)
    const cursorOf = async (url: string) =>
      nextOf(await service.get(url, { token }))?.split('?')[1] ?? ''

    for (const cursor of [
      await cursorOf(`${USERS}/${ann.id}/audit?limit=1`),
      await cursorOf(`/api/v1/audit?limit=1`),
    ]) {
      assert.match(cursor, /after=/)
      assertInvalid(await read(admin.id, cursor), 'after', 'cursor')
    }
    assertInvalid(await read(ann.id, 'event=user.changed'), 'event')
  })

  test('200 counts in the audit log as the look at a user', async () => {
    await using started = await startWithAdmin()
    const { service, admin, token } = started
    const sent = { token, ip: '203.0.113.7' }

    for (const url of [`${USERS}/${admin.id}`, `${USERS}/${admin.id}/audit`])
      await service.get(url, sent)

    assert.deepEqual((await eventsOf(service, 'users.read'))[0]?.changes, { pages: 2 })
  })

  test('404 not_found for a deleted user, whose events GET /audit still has', async () => {
    await using started = await startWithAdmin()
    const { service, token, read } = started
    const ann = await service.addUser()
    await service.delete(`${USERS}/${ann.id}`, { token })

    const { body } = await service.get(`/api/v1/audit?subject_id=${ann.id}`, { token })

    assertProblem(await read(ann.id), 'not_found')
    assert.deepEqual(
      body.map(({ event }: { event: string }) => event),
      ['user.deleted'],
    )
  })

  test('403 forbidden for users, even for their own; 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = `${USERS}/${ann.id}/audit`

    assertProblem(await service.get(url, { token: ann.access }), 'forbidden')
    assertProblem(await service.get(url), 'authentication_required')
  })
})
