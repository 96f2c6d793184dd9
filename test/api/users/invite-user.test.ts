import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../../server/lib/units.ts'
import { changeEmail } from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { accept, invitationsTo, invite, invited, INVITED } from '../../support/invitations.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { countStatuses, oneByOne, times } from '../../support/races.ts'
import { NEW_PASSWORD, reset } from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

const ADMIN_PASSWORD = 'a rather long password of an admin'

async function startWithAdmin(settings: Record<string, string> = {}) {
  const service = await startService(settings)
  const admin = await service.addAdmin('boss@example.com')
  return { service, admin, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

describe('POST /users', () => {
  test('201 an unverified user, who is deleted after seven days', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started

    const answer = await invite(service, admin, { email: 'Ann@Example.com', full_name: 'Ann' })

    assert.equal(answer.status, 201, answer.text)
    const { id, created_at, updated_at, ...rest } = answer.body
    assert.deepEqual(rest, {
      email: INVITED,
      full_name: 'Ann',
      phone: null,
      role: 'user',
      is_verified: false,
      disabled: false,
      invited_role: 'user',
      verification_expires_at: toIso(service.clock.nowMs + 7 * DAY_MS),
    })
    assert.deepEqual([created_at, updated_at], Array(2).fill(toIso(service.clock.nowMs)))
    const listed = await service.get(`${USERS}?is_verified=false`, { token: admin.access })
    assert.deepEqual(listed.body, [answer.body])
    const [event] = await eventsOf(service, 'user.invited')
    assert.deepEqual([event?.actor_id, event?.subject_id], [admin.id, id])
    assert.deepEqual(event?.changes, { role: 'user' })
  })

  test('201 the link in the mail verifies the address, with the name and a password, once', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const { user, token } = await invited(service, admin, { full_name: 'Ann' })
    service.advance(7 * DAY_MS - 1)

    await accept(service, token)

    const { access } = await service.logIn(INVITED, NEW_PASSWORD)
    const { body: me } = await service.get('/api/v1/me', { token: access })
    assert.deepEqual([me.id, me.full_name, me.role], [user.id, 'Ann', 'user'])
    assert.deepEqual([me.is_verified, 'invited_role' in me], [true, false])
    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.deepEqual(await rowsOf(service.ctx, 'invitations'), [])
    const [event] = await eventsOf(service, 'invitation.accepted')
    assert.deepEqual([event?.actor_id, event?.subject_id], [null, user.id])
    // Nothing was changed: there was no password.
    await service.deliverMail()
    assert.deepEqual(
      service.mailsTo(INVITED).map(({ subject }) => subject),
      ['Your invitation to Coffee Shop'],
    )
  })

  test('201 in the language of the admin, and the mail names the shop and nobody of its staff', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const headers = { 'accept-language': 'de' }

    await service.post(
      USERS,
      { email: INVITED },
      { token: admin.access, headers, ip: '203.0.113.7' },
    )
    await service.deliverMail()

    const [mail] = service.mailsTo(INVITED)
    assert.equal(mail?.subject, 'Ihre Einladung zu Coffee Shop')
    for (const text of [admin.email, '203.0.113.7']) assert.ok(!mail?.text.includes(text), text)
  })

  test('201 for an admin, who has the rights once the invitation is accepted, with a long password', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const { user, token } = await invited(service, admin, { role: 'admin' })
    const short = await reset(service, token, 'twelve chars')

    await accept(service, token, ADMIN_PASSWORD)

    assert.deepEqual([user.role, user.invited_role], ['user', 'admin'])
    assertInvalid(short, '/password', 'too_short')
    const { access } = await service.logIn(INVITED, ADMIN_PASSWORD)
    assert.equal((await service.get(USERS, { token: access })).status, 200)
    const [event] = await eventsOf(service, 'invitation.accepted')
    assert.deepEqual(event?.changes, { role: 'admin' })
  })

  test('201 for an admin is mailed to every admin, with who did it and to whom', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const other = await service.addAdmin('other@example.com')

    const { user } = await invited(service, admin, { role: 'admin' })

    const sentence = `user ${user.id} (${INVITED}) was invited by user ${admin.id} (${admin.email}) to become an admin.`
    for (const { email } of [admin, other]) {
      const [mail, ...others] = service.mailsTo(email)
      assert.deepEqual(others, [])
      assert.ok(mail?.text.includes(sentence), String(mail?.text))
    }
  })

  test('403 reauthentication_required for an admin, as for a promotion; the password proves it', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    service.advance(11 * MINUTE_MS)

    const late = await invite(service, admin, { role: 'admin' })
    const wrong = await invite(service, admin, { role: 'admin', current_password: 'not it' })
    const proven = await invite(service, admin, { role: 'admin', current_password: PASSWORD })
    const ofUser = await invite(service, admin, { email: 'bob@example.com' })

    assertProblem(late, 'reauthentication_required')
    assertProblem(wrong, 'wrong_password')
    assert.deepEqual([proven.status, ofUser.status], [201, 201])
    assert.deepEqual(await invitationsTo(service).then(({ length }) => length), 1)
  })

  test('409 email_taken for a verified, an invited, a disabled and a reserved address', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const bob = await service.addUser('bob@example.com')
    await changeEmail(service, bob, 'bobby@example.com')
    await service.signUp('eve@example.com')
    await invite(service, admin, { email: 'carol@example.com' })
    const { access: token } = await service.addAdmin()
    const { body: users } = await service.get(`${USERS}?q=eve`, { token })
    await service.patch(`${USERS}/${users[0].id}`, { disabled: true }, { token })
    const before = await rowsOf(service.ctx, 'users')

    for (const name of ['bob', 'bobby', 'carol', 'CAROL', 'eve'])
      assertProblem(await invite(service, admin, { email: `${name}@example.com` }), 'email_taken')

    assert.deepEqual(await rowsOf(service.ctx, 'users'), before)
  })

  test('201 once, of ten at the same time', async () => {
    await using started = await startWithAdmin({ RATE_LIMIT: 'off' })
    const { service, admin } = started

    const answers = await Promise.all(times(10).map(() => invite(service, admin)))

    assert.deepEqual(countStatuses(answers), { 201: 1, 409: 9 })
    assert.equal((await invitationsTo(service)).length, 1)
  })

  test('429 after five to one address and after a hundred of one admin an hour', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const other = await service.addAdmin()
    const again = async (caller: { access: string }) => {
      const answer = await invite(service, caller)
      const url = `${USERS}/${answer.body.id}/invitation`
      if (answer.status === 201) await service.delete(url, { token: caller.access })
      return answer
    }
    const toOne = await oneByOne(6, (n) => again(n % 2 ? admin : other))
    const toMany = await oneByOne(100, (n) =>
      invite(service, other, { email: `a${n}@example.com` }),
    )

    assert.deepEqual(countStatuses(toOne), { 201: 5, 429: 1 })
    assert.match(toOne[5]?.headers['ratelimit'] ?? '', /^"invitations"/)
    const { length: byOther } = toOne.filter(({ status }, n) => status === 201 && n % 2 === 0)
    assert.deepEqual(countStatuses(toMany), { 201: 100 - byOther, 429: byOther })
    assert.match(toMany.at(-1)?.headers['ratelimit'] ?? '', /^"admin_mails"/)
  })

  for (const [why, pointer, body] of [
    ['no address', '/email', { email: 'ann' }],
    ['an unknown role', '/role', { role: 'root' }],
    ['a state', '/is_verified', { is_verified: true }],
    ['a password', '/password', { password: PASSWORD }],
    ['a name of control characters', '/full_name', { full_name: 'A\u0000' }],
  ] as const) {
    test(`422 for ${why}`, async () => {
      await using started = await startWithAdmin()
      const { service, admin } = started

      assertInvalid(await invite(service, admin, body), pointer)
      assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
    })
  }

  test('403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    assertProblem(await invite(service, ann), 'forbidden')
    assertProblem(await service.post(USERS, { email: INVITED }), 'authentication_required')
  })

  test('400 invalid_reset_token after seven days, and the address can be invited again', async () => {
    await using started = await startWithAdmin()
    const { service, admin } = started
    const { user, token } = await invited(service, admin)
    service.advance(7 * DAY_MS)

    const late = await reset(service, token)
    const again = await invited(service, await service.addAdmin())

    assertProblem(late, 'invalid_reset_token')
    assert.notEqual(again.user.id, user.id)
    assertProblem(await reset(service, token), 'invalid_reset_token')
    await accept(service, again.token)
  })

  test('400 invalid_reset_token after 7 days also where an account lives longer', async () => {
    await using started = await startWithAdmin({ UNVERIFIED_USER_TTL_HOURS: '240' })
    const { service, admin } = started
    const { user, token } = await invited(service, admin, { role: 'admin' })
    service.advance(7 * DAY_MS)

    const late = await reset(service, token)

    assertProblem(late, 'invalid_reset_token')
    const lifetimeMs = Date.parse(user.verification_expires_at) - Date.parse(user.created_at)
    assert.equal(lifetimeMs, 240 * HOUR_MS)
  })
})
