import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deleteUser } from '../../support/deletions.ts'
import { changeEmail } from '../../support/email-changes.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'

// What every deletion does: test/erasure.test.ts.

describe('DELETE /users/{id}', () => {
  test('200 for an admin, 404 not_found the second time and for an unknown id', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()

    const answer = await deleteUser(service, admin, ann)

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { message: 'User deleted successfully' })
    assertProblem(await deleteUser(service, admin, ann), 'not_found')
    assertProblem(await deleteUser(service, admin, { id: 999_999 }), 'not_found')
  })

  test('200 wakes the worker for the mail to an address that could have undone a change', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()
    await changeEmail(service, ann, 'new@example.com')
    let woken = 0
    Object.assign(service.ctx, { wakeMail: () => woken++ })

    await deleteUser(service, admin, ann)

    assert.equal(woken, 1)
  })

  test('403 forbidden for users, the same for themselves, others and unknown ids', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]

    for (const id of [ann.id, bob.id, 999_999])
      assertProblem(await deleteUser(service, ann, { id }), 'forbidden')

    await service.logIn(ann.email)
    await service.logIn(bob.email)
  })
})
