import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { changeEmail } from './support/email-changes.ts'
import {
  accept,
  invitationOf,
  invitationsTo,
  invite,
  invited,
  INVITED,
} from './support/invitations.ts'
import { eventsOf } from './support/events.ts'
import { runJob } from './support/jobs.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, startReplicas } from './support/races.ts'
import { NEW_PASSWORD, reset, tokenFor } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'
import { USERS } from './support/users.ts'

const VERIFY = '/api/v1/auth/verify'
const attackers = 'the password of the attacker'
const LONG_PASSWORD = 'a rather long password of an admin'

const userOf = async (service: Service) =>
  (await rowsOf(service.ctx, 'users')).find((user) => user.email_canonical === INVITED)

/** Signs up the invited address as an attacker would, and returns the code that is mailed to its owner. */
async function signUpAsAttacker(service: Service) {
  const id = await service.signUp(INVITED, attackers, 'Eve')
  return { id, code: await service.codeFor(INVITED) }
}

describe('an invitation to an address that an attacker signs up, too', () => {
  for (const [when, isFirst] of [
    ['before', true],
    ['afterwards', false],
  ] as const) {
    test(`gives its role to nobody by a code, the sign-up having come ${when}`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const early = isFirst ? await signUpAsAttacker(service) : undefined
      const { token } = await invited(service, admin, { role: 'admin', full_name: 'Ann' })
      const { id, code } = early ?? (await signUpAsAttacker(service))

      // The owner types the code of the wrong mail.
      const answer = await service.post(VERIFY, { email: INVITED, code, sign_up_id: id })

      assert.equal(answer.status, 200)
      const { role, full_name, invited_role, invited_until } = await userOf(service)
      assert.deepEqual([role, full_name, invited_role, invited_until], ['user', 'Eve', null, null])
      assertProblem(await reset(service, token), 'invalid_reset_token')
      assert.deepEqual(await rowsOf(service.ctx, 'invitations'), [])
    })

    test(`is accepted by its link alone: no code or password of the sign-up works, made ${when}`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const early = isFirst ? await signUpAsAttacker(service) : undefined
      const { token } = await invited(service, admin, { role: 'admin', full_name: 'Ann' })
      const { id, code } = early ?? (await signUpAsAttacker(service))

      await accept(service, token, LONG_PASSWORD)

      assertProblem(
        await service.post(VERIFY, { email: INVITED, code, sign_up_id: id }),
        'invalid_code',
      )
      const credentials = { email: INVITED, password: attackers }
      assertProblem(await service.post('/api/v1/auth/login', credentials), 'invalid_credentials')
      const { role, full_name } = await userOf(service)
      assert.deepEqual([role, full_name], ['admin', 'Ann'])
    })
  }

  test('gives its role to nobody by a link of “Forgot password”, which ends the invitation', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { token } = await invited(service, admin, { role: 'admin' })

    assert.equal((await reset(service, await tokenFor(service, INVITED))).status, 200)

    await service.logIn(INVITED, NEW_PASSWORD)
    const { role, invited_role } = await userOf(service)
    assert.deepEqual([role, invited_role], ['user', null])
    assertProblem(await reset(service, token), 'invalid_reset_token')
  })

  test('gives its role to nobody who proves the address as a new one', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { token } = await invited(service, admin, { role: 'admin' })
    const bob = await service.addUser()

    await changeEmail(service, bob, INVITED)

    const { id, role, invited_role } = await userOf(service)
    assert.deepEqual([id, role, invited_role], [bob.id, 'user', null])
    assertProblem(await reset(service, token), 'invalid_reset_token')
  })

  test('gives its role to nobody by a code that a process of the previous version accepts', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user, token } = await invited(service, admin, { role: 'admin' })
    // What that version writes: it knows no invitations.
    await service.ctx.transaction((tx) =>
      tx
        .updateTable('users')
        .set({ verified_at: user.created_at, password_hash: 'any' })
        .where('id', '=', user.id)
        .execute(),
    )

    const answer = await reset(service, token)

    assertProblem(answer, 'invalid_reset_token')
    const shown = await service.get(`${USERS}/${user.id}`, { token: admin.access })
    assert.deepEqual([shown.body.role, 'invited_role' in shown.body], ['user', false])
  })

  test('leaves the pending sign-up of its owner as it is', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const id = await service.signUp(INVITED, PASSWORD, 'Ann')
    const code = await service.codeFor(INVITED)
    const before = await userOf(service)

    const { user } = await invited(service, admin)

    assert.equal(user.id, before.id)
    const answer = await service.post(VERIFY, { email: INVITED, code, sign_up_id: id })
    assert.equal(answer.status, 200)
    await service.logIn(INVITED)
  })
})

describe('an invited user who is not verified', () => {
  test('outlives the clean-up for seven days, and leaves no trace after it', async () => {
    await using service = await startService({ CLEANUP_SCHEDULE: '* * * * * *' })
    const admin = await service.addAdmin()
    await service.signUp('other@example.com')
    await invited(service, admin, { full_name: 'Cinderella' })
    const left = async () => {
      await runJob(service, 'clean-up')
      return (await rowsOf(service.ctx, 'users')).map(({ email }) => email)
    }

    service.advance(2 * DAY_MS)
    const after2Days = await left()
    service.advance(5 * DAY_MS - SECOND_MS)
    const atTheEnd = await left()
    service.advance(SECOND_MS)
    const afterwards = await left()

    assert.deepEqual(after2Days, [admin.email, INVITED])
    assert.deepEqual(atTheEnd, [admin.email, INVITED])
    assert.deepEqual(afterwards, [admin.email])
    for (const table of ['users', 'invitations', 'outbox'] as const)
      assert.doesNotMatch(
        JSON.stringify(await rowsOf(service.ctx, table)),
        /Cinderella|ann@/,
        table,
      )
  })

  test('cannot log in with any password', async () => {
    await using service = await startService()
    await invited(service, await service.addAdmin())

    for (const password of [PASSWORD, 'null'])
      assertProblem(
        await service.post('/api/v1/auth/login', { email: INVITED, password }),
        'invalid_credentials',
      )
  })

  test('gets a code for a sign-up after two days, too, which is valid for a day', async () => {
    await using service = await startService()
    const { user } = await invited(service, await service.addAdmin())
    service.advance(3 * DAY_MS)

    const id = await service.signUp(INVITED)
    const code = await service.codeFor(INVITED)
    service.advance(DAY_MS - SECOND_MS)

    const answer = await service.post(VERIFY, { email: INVITED, code, sign_up_id: id })
    assert.equal(answer.status, 200)
    assert.equal((await userOf(service)).id, user.id)
  })

  test('loses the invitation when disabled, for good: enabling needs no proof', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { user, token } = await invited(service, admin, { role: 'admin' })
    const set = (disabled: boolean) =>
      service.patch(`${USERS}/${user.id}`, { disabled }, { token: admin.access })
    const { body } = await set(true)
    service.advance(11 * MINUTE_MS)

    const enabled = await set(false)

    assert.deepEqual([enabled.status, 'invited_role' in body], [200, false])
    assertProblem(await reset(service, token, LONG_PASSWORD), 'invalid_reset_token')
    const [event] = await eventsOf(service, 'invitation.revoked')
    assert.deepEqual([event?.subject_id, event?.changes], [user.id, { role: 'admin' }])
  })

  test('invited as an admin, is disabled as an invitation is revoked: with proof, and mailed', async () => {
    await using service = await startService()
    const [admin, other] = [await service.addAdmin(), await service.addAdmin()]
    const { user } = await invited(service, admin, { role: 'admin' })
    service.advance(11 * MINUTE_MS)
    const disable = (proof: object) =>
      service.patch(`${USERS}/${user.id}`, { disabled: true, ...proof }, { token: admin.access })

    const late = await disable({})
    const proven = await disable({ current_password: PASSWORD })
    await service.deliverMail()

    assertProblem(late, 'reauthentication_required')
    assert.equal(proven.status, 200)
    for (const { email } of [admin, other])
      assert.equal(
        service.mailsTo(email).at(-1)?.subject,
        'The invitation of an admin of Coffee Shop was revoked',
      )
  })

  test('invited as an admin, cannot be made a user instead', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { user } = await invited(service, { access: token }, { role: 'admin' })

    const answer = await service.patch(`${USERS}/${user.id}`, { role: 'user' }, { token })

    assertProblem(answer, 'user_unverified')
    assert.equal((await userOf(service)).invited_role, 'admin')
  })

  test('keeps the invitation to its end, also when a stranger signs up in its last hour', async () => {
    await using service = await startService()
    const { token } = await invited(service, await service.addAdmin(), { full_name: 'Ann' })
    service.advance(7 * DAY_MS - MINUTE_MS)

    await service.signUp(INVITED, attackers, 'Eve')

    await accept(service, token)
    assert.equal((await userOf(service)).full_name, 'Ann')
  })

  test('cannot be made an admin', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { user } = await invited(service, { access: token })

    const answer = await service.patch(`${USERS}/${user.id}`, { role: 'admin' }, { token })

    assertProblem(answer, 'user_inactive')
  })
})

describe('a link of an invitation', () => {
  test('works once, of ten at the same time on two replicas', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { token } = await invited(first, await first.addAdmin())

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        reset(n % 2 ? first : second, token, `${NEW_PASSWORD} ${n}`),
      ),
    )

    assert.deepEqual(countStatuses(answers), { 200: 1, 400: 9 })
  })

  test('is accepted or revoked, never both', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const admin = await service.addAdmin()

    for (let n = 0; n < 5; n++) {
      const { user, token } = await invited(service, admin, { email: `ann${n}@example.com` })
      const [accepted, revoked] = await Promise.all([
        reset(service, token),
        service.delete(invitationOf(user.id), { token: admin.access }),
      ])
      const shown = await service.get(`${USERS}/${user.id}`, { token: admin.access })
      const isAccepted = accepted.status === 200
      assert.deepEqual([revoked.status, shown.status], isAccepted ? [409, 200] : [204, 404])
    }
  })

  test('is no link to reset a password or to undo a change, nor the other way round', async () => {
    await using service = await startService()
    const { token } = await invited(service, await service.addAdmin())
    const [id = '', mac = ''] = token.split('.')
    const [row] = await rowsOf(service.ctx, 'invitations')

    const undo = await service.post('/api/v1/auth/email/undo', { token })
    const forged = await reset(
      service,
      `${id}.${mac.replace(/^./, mac.startsWith('A') ? 'B' : 'A')}`,
    )

    assert.equal(row.id, id)
    assertProblem(undo, 'invalid_undo_token')
    assertProblem(forged, 'invalid_reset_token')
  })

  test('is not mailed once it has been replaced, accepted or revoked', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { body: user } = await invite(service, admin)
    service.advance(HOUR_MS)
    const { access: token } = await service.addAdmin()
    await service.post(invitationOf(user.id), undefined, { token })
    const { length } = await invitationsTo(service)
    await service.post(invitationOf(user.id), undefined, { token })
    await service.delete(invitationOf(user.id), { token })

    assert.deepEqual([length, (await invitationsTo(service)).length], [1, 1])
  })
})
