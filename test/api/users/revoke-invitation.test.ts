import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventsOf } from '../../support/events.ts'
import { accept, invitationOf, invited, INVITED } from '../../support/invitations.ts'
import { assertProblem } from '../../support/problem.ts'
import { reset } from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

describe('DELETE /users/{id}/invitation', () => {
  test('204 deletes the user, the link and the sign-ups, and frees the address', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user, token } = await invited(service, admin, { role: 'admin', full_name: 'Ann' })
    await service.signUp(INVITED)

    const answer = await service.delete(invitationOf(user.id), { token: admin.access })

    assert.deepEqual([answer.status, answer.text], [204, ''])
    assertProblem(await reset(service, token), 'invalid_reset_token')
    const shown = await service.get(`${USERS}/${user.id}`, { token: admin.access })
    assertProblem(shown, 'not_found')
    for (const table of ['invitations', 'sign_ups'] as const)
      assert.deepEqual(await rowsOf(service.ctx, table), [])
    for (const event of ['invitation.revoked', 'user.deleted']) {
      const [recorded] = await eventsOf(service, event)
      assert.deepEqual([recorded?.actor_id, recorded?.subject_id], [admin.id, user.id])
    }
    await service.registerUser(INVITED)
  })

  test('409 user_verified once accepted: the account stays', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user, token } = await invited(service, admin)
    await accept(service, token)

    const answer = await service.delete(invitationOf(user.id), { token: admin.access })

    assertProblem(answer, 'user_verified')
    assert.equal((await rowsOf(service.ctx, 'users')).length, 2)
  })

  test('404 not_found for a sign-up without an invitation, and for an unknown user', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp(INVITED)

    for (const id of [admin.id + 1, 999_999])
      assertProblem(await service.delete(invitationOf(id), { token: admin.access }), 'not_found')

    assert.equal((await rowsOf(service.ctx, 'sign_ups')).length, 1)
  })

  test('403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = invitationOf(ann.id)

    assertProblem(await service.delete(url, { token: ann.access }), 'forbidden')
    assertProblem(await service.delete(url), 'authentication_required')
  })
})
