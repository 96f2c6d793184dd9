import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { isLive } from '../../support/sessions.ts'

const sessionsOf = (id: number | string) => `/api/v1/users/${id}/sessions`

describe('DELETE /users/{id}/sessions', () => {
  test('204 ends every session of that user and of nobody else', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const bob = await service.addUser()
    const ann = await service.addUser()
    const second = await service.logIn(ann.email)

    const answer = await service.delete(sessionsOf(ann.id), { token: admin.access })

    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    assert.deepEqual(
      await Promise.all([ann, second, bob, admin].map((tokens) => isLive(service, tokens))),
      [false, false, true, true],
    )
  })

  test('204 leaves the account as it was: its owner may log in again', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()
    const before = await service.get(`/api/v1/users/${ann.id}`, { token: admin.access })

    await service.delete(sessionsOf(ann.id), { token: admin.access })
    await service.delete(sessionsOf(ann.id), { token: admin.access })

    const after = await service.get(`/api/v1/users/${ann.id}`, { token: admin.access })
    assert.deepEqual(after.body, before.body)
    assert.ok(await isLive(service, await service.logIn(ann.email)))
  })

  test('204 for one’s own id ends the session that asked, too', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()

    const answer = await service.delete(sessionsOf(admin.id), { token: admin.access })

    assert.equal(answer.status, 204)
    assert.equal(await isLive(service, admin), false)
  })

  test('401 without a token, 403 for who is no admin: nothing ends', async () => {
    await using service = await startService()
    const bob = await service.addUser()
    const ann = await service.addUser()

    assertProblem(await service.delete(sessionsOf(ann.id)), 'authentication_required')
    for (const id of [ann.id, bob.id, 999_999, '01']) {
      assertProblem(await service.delete(sessionsOf(id), { token: bob.access }), 'forbidden')
    }

    assert.ok(await isLive(service, ann))
    assert.ok(await isLive(service, bob))
  })

  test('404 for a user who does not exist', async () => {
    await using service = await startService()
    const { access } = await service.addAdmin()
    assertProblem(await service.delete(sessionsOf(999_999), { token: access }), 'not_found')
  })

  test('422 for an id that is not written as ours are: no session ends', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()

    for (const id of ['01', '0', '-1', '1e0', '1.0', '0x1', '9007199254740993', 'me']) {
      const answer = await service.delete(sessionsOf(id), { token: admin.access })
      assertProblem(answer, 'validation_failed')
    }

    assert.ok(await isLive(service, admin))
  })
})
