import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, times } from './support/races.ts'
import { FORGOT } from './support/resets.ts'
import { type Answer, type Service, startService } from './support/service.ts'

const TRUSTED = { TRUSTED_PROXIES: '10.0.0.0/8' }
const PROXY = '10.0.0.5'

const forget = (service: Service, ip: string, headers: Record<string, string> = {}) =>
  service.post(FORGOT, { email: 'ann@example.com' }, { ip, headers })
const warningsOf = ({ logged }: Service) =>
  logged.map((line) => JSON.parse(line)).filter(({ msg }) => /TRUSTED_PROXIES/.test(msg))

describe('whom a limit counts behind a proxy', () => {
  test('each client alone; what a client sends of itself does not help it', async () => {
    await using service = await startService(TRUSTED)
    const from = (client: string, lie: string) =>
      forget(service, PROXY, { 'x-forwarded-for': `${lie}, ${client}` })
    const answers: Answer[] = []
    for (const n of times(12)) answers.push(await from('198.51.100.7', `203.0.113.${n}`))

    assert.deepEqual(countStatuses(answers), { 202: 10, 429: 2 })
    assert.equal((await from('198.51.100.8', '198.51.100.7')).status, 202)
  })

  test('a client without a proxy gains nothing by the header', async () => {
    await using service = await startService(TRUSTED)
    for (const n of times(10))
      await forget(service, '198.51.100.7', { 'x-forwarded-for': `203.0.113.${n}` })

    assertProblem(await forget(service, '198.51.100.7'), 'too_many_requests')
  })

  test('all who have no address count as one', async () => {
    await using service = await startService(TRUSTED)
    const garbage = ['unknown', '<script>', 'x'.repeat(5000), '999.1.1.1', '_hidden']
    for (const n of times(10))
      await forget(service, PROXY, { 'x-forwarded-for': garbage[n % garbage.length]! })

    const answer = await forget(service, PROXY, { 'x-forwarded-for': 'another' })
    const addressed = await forget(service, PROXY, { 'x-forwarded-for': '198.51.100.9' })

    assertProblem(answer, 'too_many_requests')
    assert.equal(addressed.status, 202)
  })

  test('one client spelled in many ways counts as one', async () => {
    await using service = await startService(TRUSTED)
    const spellings = [
      '198.51.100.7',
      '::ffff:198.51.100.7',
      '198.51.100.7:4711',
      '::FFFF:198.51.100.7',
      '0:0:0:0:0:ffff:c633:6407',
      '64:ff9b::198.51.100.7',
    ]
    for (const n of times(10))
      await forget(service, PROXY, { 'x-forwarded-for': spellings[n % spellings.length]! })

    assertProblem(await forget(service, '198.51.100.7'), 'too_many_requests')
  })
})

test('customers of IPv4 who come as IPv6 are counted each alone', async () => {
  await using service = await startService(TRUSTED)
  const answers: Answer[] = []

  for (const n of times(12))
    for (const client of [`64:ff9b::203.0.113.${n}`, `::ffff:c633:64${(16 + n).toString(16)}`])
      answers.push(await forget(service, PROXY, { 'x-forwarded-for': client }))

  assert.deepEqual(countStatuses(answers), { 202: 24 })
})

describe('a proxy that nobody named', () => {
  for (const header of ['x-forwarded-for', 'forwarded']) {
    test(`is warned of, once an hour, when it sends ${header} from a private address`, async () => {
      await using service = await startService()
      const value = header === 'forwarded' ? 'for=198.51.100.7' : '198.51.100.7'
      for (let n = 0; n < 3; n++) await forget(service, PROXY, { [header]: value })
      const first = warningsOf(service).length
      service.advance(HOUR_MS)
      await forget(service, PROXY, { [header]: value })

      assert.equal(first, 1)
      const warnings = warningsOf(service)
      assert.equal(warnings.length, 2)
      assert.deepEqual([warnings[0].level, warnings[0].ip], ['warn', PROXY])
      assert.match(await service.ctx.metrics.expose(), /^coffee_shop_clients_behind_one_proxy 1$/m)
      service.advance(HOUR_MS)
      assert.match(await service.ctx.metrics.expose(), /^coffee_shop_clients_behind_one_proxy 0$/m)
    })
  }

  test('is warned of after 200 requests in a row with the header, from whichever addresses', async () => {
    await using service = await startService()
    const send = (n: number) =>
      forget(service, `203.0.113.${n % 9}`, { 'x-forwarded-for': `198.51.100.${n}` })
    for (const n of times(199)) await send(n)
    const before = warningsOf(service).length
    await send(199)

    assert.equal(before, 0)
    assert.equal(warningsOf(service).length, 1)
  })

  test('is not suspected where strangers send the header now and then', async () => {
    await using service = await startService()
    for (const n of times(250))
      await forget(service, '203.0.113.1', n % 100 === 99 ? {} : { forwarded: 'for=1.1.1.1' })

    assert.deepEqual(warningsOf(service), [])
  })

  test('is warned of after 200 requests in a row from one private address', async () => {
    await using service = await startService()
    for (const _ of times(199)) await forget(service, '172.17.0.1')
    const before = warningsOf(service).length
    await forget(service, '172.17.0.1')

    assert.equal(before, 0)
    assert.equal(warningsOf(service).length, 1)
  })

  for (const [why, settings, ip, headers] of [
    ['a public address', {}, '198.51.100.1', {}],
    ['clients of a proxy that is named', TRUSTED, PROXY, { 'x-forwarded-for': '198.51.100.1' }],
  ] as const) {
    test(`is not suspected after 250 requests from ${why}`, async () => {
      await using service = await startService(settings)
      for (const _ of times(250)) await forget(service, ip, headers)

      assert.deepEqual(warningsOf(service), [])
    })
  }
})
