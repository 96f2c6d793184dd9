import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { accept, invitationOf, invite, invited, INVITED } from '../../support/invitations.ts'
import { assertProblem } from '../../support/problem.ts'
import { reset } from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

const VERIFY = '/api/v1/auth/verify'

describe('DELETE /users/{id}/invitation', () => {
  test('204 deletes the user and the link, and frees the address', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user, token } = await invited(service, admin, { role: 'admin', full_name: 'Ann' })

    const answer = await service.delete(invitationOf(user.id), { token: admin.access })

    assert.deepEqual([answer.status, answer.text], [204, ''])
    assertProblem(await reset(service, token), 'invalid_reset_token')
    const shown = await service.get(`${USERS}/${user.id}`, { token: admin.access })
    assertProblem(shown, 'not_found')
    assert.deepEqual(await rowsOf(service.ctx, 'invitations'), [])
    for (const event of ['invitation.revoked', 'user.deleted']) {
      const [recorded] = await eventsOf(service, event)
      assert.deepEqual([recorded?.actor_id, recorded?.subject_id], [admin.id, user.id])
    }
    await service.registerUser(INVITED)
  })

  for (const [when, isFirst] of [
    ['before the invitation', true],
    ['after it', false],
  ] as const) {
    test(`204 deletes nobody who signed up ${when}, long after the login of the admin, too`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      service.advance(11 * MINUTE_MS)
      const early = isFirst ? await service.signUp(INVITED) : undefined
      const { user, token } = await invited(service, admin, { full_name: 'Ann' })
      const id = early ?? (await service.signUp(INVITED))
      const code = await service.codeFor(INVITED)

      const answer = await service.delete(invitationOf(user.id), { token: admin.access })

      assert.equal(answer.status, 204, answer.text)
      assertProblem(await reset(service, token), 'invalid_reset_token')
      assert.deepEqual(await rowsOf(service.ctx, 'invitations'), [])
      const { body } = await service.get(`${USERS}/${user.id}`, { token: admin.access })
      assert.deepEqual([body.full_name, 'invited_role' in body], [null, false])
      const verified = await service.post(VERIFY, { email: INVITED, code, sign_up_id: id })
      assert.equal(verified.status, 200, verified.text)
    })
  }

  test('204 leaves a sign-up of the third day its time, and the address can be invited again', async () => {
    await using service = await startService()
    const { user } = await invited(service, await service.addAdmin())
    service.advance(3 * DAY_MS)
    const id = await service.signUp(INVITED)
    const code = await service.codeFor(INVITED)
    const admin = await service.addAdmin()

    await service.delete(invitationOf(user.id), { token: admin.access })
    const again = await invite(service, admin)

    assert.deepEqual([again.status, again.body.id], [201, user.id])
    const verified = await service.post(VERIFY, { email: INVITED, code, sign_up_id: id })
    assert.equal(verified.status, 200, verified.text)
  })

  test('403 reauthentication_required for one of an admin; with the password it is mailed to every admin', async () => {
    await using service = await startService()
    const [admin, other] = [await service.addAdmin(), await service.addAdmin()]
    const { user } = await invited(service, admin, { role: 'admin' })
    service.advance(11 * MINUTE_MS)
    const revoke = (body?: object) =>
      service.request('DELETE', invitationOf(user.id), { token: admin.access, body })

    const late = await revoke()
    const wrong = await revoke({ current_password: 'not it, sorry' })
    const proven = await revoke({ current_password: PASSWORD })
    await service.deliverMail()

    assertProblem(late, 'reauthentication_required')
    assertProblem(wrong, 'wrong_password')
    assert.equal(proven.status, 204, proven.text)
    const sentence = `the invitation of user ${user.id} to become an admin was revoked by user ${admin.id} (${admin.email}).`
    for (const { email } of [admin, other]) {
      const { text } = service.mailsTo(email).at(-1) ?? assert.fail(`no mail to ${email}`)
      assert.ok(text.includes(sentence), text)
    }
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
