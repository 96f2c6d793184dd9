import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS, toIso } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { accept, invitationOf, invitationsTo, invited, INVITED } from '../../support/invitations.ts'
import { assertProblem } from '../../support/problem.ts'
import { countStatuses, oneByOne, times } from '../../support/races.ts'
import { reset } from '../../support/resets.ts'
import { PASSWORD, startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

describe('POST /users/{id}/invitation', () => {
  test('202 mails a new link for another seven days, and the one before no longer works', async () => {
    await using service = await startService()
    const { user, token: first } = await invited(service, await service.addAdmin(), {
      full_name: 'Ann',
    })
    service.advance(5 * DAY_MS)
    const admin = await service.addAdmin()

    const answer = await service.post(invitationOf(user.id), undefined, { token: admin.access })

    assert.equal(answer.status, 202, answer.text)
    assert.equal(answer.body.verification_expires_at, toIso(service.clock.nowMs + 7 * DAY_MS))
    assert.deepEqual([answer.body.id, answer.body.full_name], [user.id, 'Ann'])
    assertProblem(await reset(service, first), 'invalid_reset_token')
    const [, second = ''] = await invitationsTo(service)
    service.advance(7 * DAY_MS - 1)
    await accept(service, second)
    const [event] = await eventsOf(service, 'invitation.resent')
    assert.deepEqual([event?.actor_id, event?.subject_id], [admin.id, user.id])
  })

  test('202 repeats the role', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user } = await invited(service, admin, { role: 'admin' })

    const answer = await service.post(invitationOf(user.id), undefined, { token: admin.access })

    assert.equal(answer.body.invited_role, 'admin')
  })

  test('403 reauthentication_required for an admin; with the password it is mailed to every admin', async () => {
    await using service = await startService()
    const [admin, other] = [await service.addAdmin(), await service.addAdmin()]
    const { user } = await invited(service, admin, { role: 'admin' })
    service.advance(11 * MINUTE_MS)
    const resend = (body?: object) =>
      service.post(invitationOf(user.id), body, { token: admin.access })

    const late = await resend()
    const { length } = await invitationsTo(service)
    const proven = await resend({ current_password: PASSWORD })

    assertProblem(late, 'reauthentication_required')
    assert.deepEqual([length, proven.status], [1, 202])
    assert.equal((await invitationsTo(service)).length, 2)
    for (const { email } of [admin, other])
      assert.deepEqual(
        service.mailsTo(email).map(({ subject }) => subject),
        times(2).map(() => 'An admin of Coffee Shop was invited'),
      )
  })

  test('202 of a user needs no proof', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user } = await invited(service, admin)
    service.advance(11 * MINUTE_MS)

    const answer = await service.post(invitationOf(user.id), undefined, { token: admin.access })

    assert.equal(answer.status, 202, answer.text)
  })

  test('404 not_found once the account has expired, whether or not the clean-up has run', async () => {
    await using service = await startService()
    const { user } = await invited(service, await service.addAdmin())
    service.advance(7 * DAY_MS)
    const { access: token } = await service.addAdmin()

    assertProblem(await service.post(invitationOf(user.id), undefined, { token }), 'not_found')
  })

  test('202 in the language of this request', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { user } = await invited(service, { access: token })

    const headers = { 'accept-language': 'de' }
    await service.post(invitationOf(user.id), undefined, { token, headers })
    await service.deliverMail()

    const subjects = service.mailsTo(INVITED).map(({ subject }) => subject)
    assert.deepEqual(subjects, ['Your invitation to Coffee Shop', 'Ihre Einladung zu Coffee Shop'])
  })

  test('429 after five invitations of an address in an hour, the first one included', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { user } = await invited(service, { access: token })

    const answers = await oneByOne(5, () =>
      service.post(invitationOf(user.id), undefined, { token }),
    )

    assert.deepEqual(countStatuses(answers), { 202: 4, 429: 1 })
    assertProblem(answers[4] ?? assert.fail(), 'too_many_requests')
  })

  test('409 user_verified once accepted, 409 user_disabled, 404 not_found without an invitation', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const resend = (id: number) => service.post(invitationOf(id), undefined, { token })
    const ann = await invited(service, { access: token })
    const bob = await invited(service, { access: token }, { email: 'bob@example.com' })
    await service.signUp('carol@example.com')
    await accept(service, ann.token)
    await service.patch(`${USERS}/${bob.user.id}`, { disabled: true }, { token })

    assertProblem(await resend(ann.user.id), 'user_verified')
    assertProblem(await resend(bob.user.id), 'user_disabled')
    assertProblem(await resend(bob.user.id + 1), 'not_found')
    assertProblem(await resend(999_999), 'not_found')
  })

  test('403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = invitationOf(ann.id)

    assertProblem(await service.post(url, undefined, { token: ann.access }), 'forbidden')
    assertProblem(await service.post(url), 'authentication_required')
  })
})
