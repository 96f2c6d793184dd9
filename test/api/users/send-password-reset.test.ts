import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertProblem } from '../../support/problem.ts'
import { countStatuses, oneByOne } from '../../support/races.ts'
import { linksTo, NEW_PASSWORD, newestToken, reset, tokenFor } from '../../support/resets.ts'
import { startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

const HOME = '203.0.113.7'
const email = 'ann@example.com'
const urlOf = (id: number) => `${USERS}/${id}/password-reset`

describe('POST /users/{id}/password-reset', () => {
  test('202 mails a link that sets a password, and tells neither who asked nor from where', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]

    const answer = await service.post(urlOf(ann.id), undefined, { token: admin.access, ip: HOME })
    await service.deliverMail()

    assert.equal(answer.status, 202, answer.text)
    const [mail, ...others] = linksTo(service, email)
    assert.deepEqual(others, [])
    for (const secret of [HOME, admin.email]) assert.ok(!mail?.text.includes(secret), secret)
    assert.equal((await reset(service, newestToken(service, email))).status, 200)
    await service.logIn(email, NEW_PASSWORD)
  })

  test('202 records the admin, who is no actor where the user asks', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    await tokenFor(service, email)

    await service.post(urlOf(ann.id), undefined, { token: admin.access, ip: HOME })
    await service.deliverMail()

    const events = await eventsOf(service, 'password.reset_requested')
    assert.deepEqual(
      events.map(({ actor_id, subject_id, ip }) => [actor_id, subject_id, ip === HOME]),
      [
        [null, ann.id, false],
        [admin.id, ann.id, true],
      ],
    )
  })

  test('202 repeats the link that works: none in the mailbox dies', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    const token = await tokenFor(service, email)

    await service.post(urlOf(ann.id), undefined, { token: admin.access })
    await service.deliverMail()

    assert.equal(linksTo(service, email).length, 2)
    assert.equal(newestToken(service, email), token)
  })

  test('429 after three for the address, by whichever admin from wherever, and the owner can still ask', async () => {
    await using service = await startService()
    const admins = [await service.addAdmin(), await service.addAdmin()]
    const ann = await service.addUser(email)

    const answers = await oneByOne(5, (n) =>
      service.post(urlOf(ann.id), undefined, {
        token: admins[n % 2]?.access,
        ip: `203.0.113.${n}`,
      }),
    )
    await service.deliverMail()
    const { length } = linksTo(service, email)
    service.advance(21 * MINUTE_MS)
    await tokenFor(service, email)

    assert.deepEqual(countStatuses(answers), { 202: 3, 429: 2 })
    assert.match(answers[4]?.headers['ratelimit'] ?? '', /^"sent_resets"/)
    assert.deepEqual([length, linksTo(service, email).length], [3, 4])
  })

  test('429 after three, of which refused ones count for nobody', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    const bob = await service.addUser()
    const ask = ({ id }: { id: number }) =>
      service.post(urlOf(id), undefined, { token: admin.access, ip: HOME })
    await service.patch(`${USERS}/${bob.id}`, { disabled: true }, { token: admin.access })
    await oneByOne(10, () => ask(bob))
    await service.patch(`${USERS}/${bob.id}`, { disabled: false }, { token: admin.access })

    const answers = await oneByOne(4, () => ask(ann))

    assert.deepEqual(countStatuses(answers), { 202: 3, 429: 1 })
    assertProblem(answers[3] ?? assert.fail(), 'too_many_requests')
    assert.equal((await ask(bob)).status, 202)
  })

  test('429 after a hundred mails of one admin, whomever they are for', async () => {
    await using service = await startService()
    const [admin, other] = [await service.addAdmin(), await service.addAdmin()]
    const users = await oneByOne(34, () => service.addUser())
    const ask = (token: string, n: number) =>
      service.post(urlOf(users[n % 34]?.id ?? 0), undefined, { token })

    const answers = await oneByOne(101, (n) => ask(admin.access, n))

    assert.deepEqual(countStatuses(answers), { 202: 100, 429: 1 })
    assert.match(answers[100]?.headers['ratelimit'] ?? '', /^"admin_mails"/)
    assert.equal((await ask(other.access, 33)).status, 202)
  })

  test('409 user_unverified, and nothing is mailed', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp(email)

    const answer = await service.post(urlOf(admin.id + 1), undefined, { token: admin.access })
    await service.deliverMail()

    assertProblem(answer, 'user_unverified')
    assert.deepEqual(linksTo(service, email), [])
  })

  test('409 user_disabled', async () => {
    await using service = await startService()
    const [{ access: token }, ann] = [await service.addAdmin(), await service.addUser(email)]
    await service.patch(`${USERS}/${ann.id}`, { disabled: true }, { token })

    assertProblem(await service.post(urlOf(ann.id), undefined, { token }), 'user_disabled')
  })

  test('404 not_found, 403 forbidden for users, 401 without a token', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]

    const unknown = await service.post(urlOf(999_999), undefined, { token: admin.access })
    assertProblem(unknown, 'not_found')
    assertProblem(await service.post(urlOf(ann.id), undefined, { token: ann.access }), 'forbidden')
    assertProblem(await service.post(urlOf(ann.id)), 'authentication_required')
  })
})
