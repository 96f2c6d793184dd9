import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { forget, FORGOT, linksTo } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

const email = 'ann@example.com'
const FROM = { ip: '198.51.100.1' }

const asked = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'outbox')).filter(({ kind }) => kind === 'password_reset').length

describe('the limit of mails to one address', () => {
  for (const [why, known] of [
    ['a known', true],
    ['an unknown', false],
  ] as const) {
    test(`202 and nothing written after three from one network within an hour, for ${why} one, until it is over`, async () => {
      await using service = await startService()
      if (known) await service.addUser(email)
      const written: number[] = []

      for (const pauseMs of [
        0,
        MINUTE_MS,
        MINUTE_MS,
        MINUTE_MS,
        57 * MINUTE_MS - SECOND_MS,
        SECOND_MS,
      ]) {
        service.advance(pauseMs)
        await forget(service, email, FROM)
        written.push(await asked(service))
      }

      assert.deepEqual(written, [1, 2, 3, 3, 3, 4])
      assert.equal(linksTo(service, email).length, known ? 4 : 0)
    })
  }

  test('is one for every spelling of the address, and none of another’s', async () => {
    await using service = await startService()
    await service.addUser(email)
    await service.addUser('bob@example.com')
    for (const spelling of [email, 'ANN@example.com', 'ann@EXAMPLE.com'])
      await service.post(FORGOT, { email: spelling }, FROM)

    await service.post(FORGOT, { email: 'Ann@Example.com' }, FROM)

    assert.equal(await asked(service), 3)
    assert.equal(await forget(service, 'bob@example.com', FROM), 1)
  })

  test('a stranger who uses up his own at each full hour keeps no mail from the owner', async () => {
    await using service = await startService()
    await service.addUser(email)
    const sent: number[] = []

    for (let hour = 0; hour < 3; hour++) {
      for (let n = 0; n < 4; n++) await service.post(FORGOT, { email }, FROM)
      await service.deliverMail()
      service.advance(31 * MINUTE_MS)
      sent.push(await forget(service, email, { ip: '203.0.113.5' }))
      service.advance(29 * MINUTE_MS)
    }

    assert.deepEqual(sent, [1, 1, 1])
  })

  test('is ten an hour from everywhere, and a refused one is none of its network’s three', async () => {
    await using service = await startService()
    await service.addUser(email)
    const ask = (address: string) => service.post(FORGOT, { email: address }, FROM)
    for (let n = 0; n < 12; n++)
      for (const address of [email, 'bob@example.com'])
        await service.post(FORGOT, { email: address })
    const rows = () => asked(service)
    const tenEach = await rows()

    for (let n = 0; n < 3; n++) await ask(email)
    const refused = (await rows()) - tenEach
    service.advance(HOUR_MS)
    for (let n = 0; n < 4; n++) await ask(email)

    assert.deepEqual([tenEach, refused, (await rows()) - tenEach], [20, 0, 3])
  })

  test('is lifted by RATE_LIMIT=off', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    await service.addUser(email)

    for (let n = 0; n < 5; n++) assert.equal(await forget(service, email), 1)
  })
})
