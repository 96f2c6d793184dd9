import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertProblem } from '../../support/problem.ts'
import { LONG_AFTER_MS, PASSWORD, type Service, startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

const email = 'ann@example.com'
const urlOf = (id: number) => `${USERS}/${id}/verification`

/** An admin, and the id of the user who signs up next. */
async function startWithAdmin() {
  const service = await startService()
  const admin = await service.addAdmin()
  const id = admin.id + 1
  const resend = () => service.post(urlOf(id), undefined, { token: admin.access })
  return { service, admin, id, resend, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

const codesTo = (service: Service) =>
  service.mailsTo(email).map(({ text }) => /\b[0-9]{6}\b/.exec(text)?.[0] ?? '')

describe('POST /users/{id}/verification', () => {
  test('202 mails the code of each pending sign-up again, from whatever networks they came', async () => {
    await using started = await startWithAdmin()
    const { service, admin, id, resend } = started
    await service.signUp(email, PASSWORD, undefined, { ip: '203.0.113.7' })
    await service.signUp(email, PASSWORD, undefined, { ip: '198.51.100.66' })
    await service.deliverMail()
    const before = codesTo(service)

    const answer = await resend()
    await service.deliverMail()

    assert.equal(answer.status, 202, answer.text)
    assert.deepEqual(codesTo(service).slice(2).toSorted(), before.toSorted())
    const [event] = await eventsOf(service, 'verification.resent')
    assert.deepEqual([event?.actor_id, event?.subject_id], [admin.id, id])
    assert.deepEqual(event?.changes, { mails: 2 })
  })

  test('202 renews a code that has expired', async () => {
    await using started = await startWithAdmin()
    const { service, resend } = started
    const signUpId = await service.signUp(email)
    const code = await service.codeFor(email)
    service.advance(DAY_MS)
    const verify = () => service.post('/api/v1/auth/verify', { email, code, sign_up_id: signUpId })
    const before = await verify()
    const admin = await service.addAdmin()

    const answer = await service.post(urlOf(admin.id - 1), undefined, { token: admin.access })

    assertProblem(before, 'invalid_code')
    assert.equal(answer.status, 202, answer.text)
    assert.equal((await verify()).status, 200)
    assert.equal((await resend()).status, 401)
  })

  test('429 within a minute and beyond five mails an hour, whoever asked for them', async () => {
    await using started = await startWithAdmin()
    const { service, resend } = started
    await service.signUp(email)
    await service.post('/api/v1/auth/verify/resend', { email })
    await service.deliverMail()

    const early = await resend()
    const statuses: number[] = []
    for (let n = 0; n < 5; n++) {
      service.advance(MINUTE_MS)
      statuses.push((await resend()).status)
    }

    assertProblem(early, 'too_many_requests')
    assert.deepEqual(statuses, [202, 202, 202, 202, 429])
    assert.equal((await eventsOf(service, 'verification.resent')).length, 4)
  })

  test('409 user_verified, 409 user_disabled', async () => {
    await using started = await startWithAdmin()
    const { service, admin, resend } = started
    const { access: token } = admin
    await service.signUp(email)
    await service.patch(`${USERS}/${admin.id + 1}`, { disabled: true }, { token })

    assertProblem(await service.post(urlOf(admin.id), undefined, { token }), 'user_verified')
    assertProblem(await resend(), 'user_disabled')
  })

  test('404 not_found for an account that has expired, and for an unknown one', async () => {
    await using started = await startWithAdmin()
    const { service, id } = started
    await service.signUp(email)
    service.advance(LONG_AFTER_MS)
    const { access: token } = await service.addAdmin()

    assertProblem(await service.post(urlOf(id), undefined, { token }), 'not_found')
    assertProblem(await service.post(urlOf(999_999), undefined, { token }), 'not_found')
  })

  test('403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)

    assertProblem(await service.post(urlOf(ann.id), undefined, { token: ann.access }), 'forbidden')
    assertProblem(await service.post(urlOf(ann.id)), 'authentication_required')
  })
})
