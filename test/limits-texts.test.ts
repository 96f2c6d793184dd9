import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { askForCode, newestCode, NUMBER, OTHER_NUMBER, PHONE } from './support/phones.ts'
import { times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService, type TestUser } from './support/service.ts'

async function addUsers(service: Service, count: number): Promise<TestUser[]> {
  const users: TestUser[] = []
  for (const _ of times(count)) users.push(await service.addUser())
  return users
}
const alarms = ({ logged }: Service) =>
  logged.filter((line) => /SMS_MAX_PER_HOUR/.test(line)).length

describe('text messages', () => {
  test('five an hour to a number, whoever asks; others’ numbers still get theirs', async () => {
    await using service = await startService()
    const users = await addUsers(service, 7)
    const sent: number[] = []
    for (const user of users) sent.push(await askForCode(service, user))

    const other = await askForCode(service, users[0]!, OTHER_NUMBER)
    service.advance(MINUTE_MS)
    const otherLater = await askForCode(service, users[0]!, OTHER_NUMBER)
    service.advance(HOUR_MS)
    const later = await askForCode(service, await service.logIn(users[6]!.email))

    assert.deepEqual(sent, [1, 1, 1, 1, 1, 0, 0])
    assert.equal(other, 0)
    assert.equal(otherLater, 1)
    assert.equal(later, 1)
  })

  test('SMS_MAX_PER_HOUR in all; then none is sent, one error is logged, and codes sent before work', async () => {
    await using service = await startService({ SMS_MAX_PER_HOUR: '3' })
    const users = await addUsers(service, 6)
    const sent: number[] = []
    for (const [n, user] of users.entries())
      sent.push(await askForCode(service, user, `+49151234567${n}0`))
    const code = newestCode(service, '+4915123456700')
    const confirmed = await service.post(`${PHONE}/confirm`, { code }, { token: users[0]!.access })
    const alarmed = alarms(service)
    service.advance(HOUR_MS)
    const later = await askForCode(service, await service.logIn(users[5]!.email))

    assert.deepEqual(sent, [1, 1, 1, 0, 0, 0])
    assert.equal(confirmed.status, 200)
    assert.equal(alarmed, 1)
    assert.equal(later, 1)
  })

  for (const [limit, numberOf] of [
    ['phone_number', () => NUMBER],
    ['text_messages', (n: number) => `+49151234567${n}0`],
  ] as const) {
    test(`the first that ${limit} holds back is recorded, once, with who asked`, async () => {
      await using service = await startService({ SMS_MAX_PER_HOUR: '5' })
      const users = await addUsers(service, 8)
      for (const [n, user] of users.entries()) await askForCode(service, user, numberOf(n))

      const events = await rowsOf(service.ctx, 'audit_events')

      const recorded = events.filter(({ event }) => event === 'limit.reached')
      assert.deepEqual(
        recorded.map(({ actor_id, changes }) => [actor_id, JSON.parse(changes)]),
        [[users[5]?.id, { limit }]],
      )
    })
  }

  test('what a user’s own limit held back is not counted against the number', async () => {
    await using service = await startService()
    const [ann, bob] = await addUsers(service, 2)
    for (let n = 0; n < 20; n++)
      await service.post(PHONE, { phone: NUMBER }, { token: ann!.access })

    assert.equal(await askForCode(service, bob!), 2)
  })

  test('of 30 at once to one number five are sent', async () => {
    await using service = await startService()
    const users = await addUsers(service, 30)

    await Promise.all(
      users.map(({ access }) => service.post(PHONE, { phone: NUMBER }, { token: access })),
    )
    await service.deliverMail()

    assert.equal(service.texts.length, 5)
  })

  test('RATE_LIMIT=off lifts both', async () => {
    await using service = await startService({ RATE_LIMIT: 'off', SMS_MAX_PER_HOUR: '3' })
    const users = await addUsers(service, 7)
    for (const user of users) assert.equal(await askForCode(service, user), 1)
  })
})
