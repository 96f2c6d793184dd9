import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { HOUR_MS } from '../server/lib/units.ts'
import { eventsOf } from './support/events.ts'
import { assertProblem } from './support/problem.ts'
import { atOnce, oneByOne, startReplicas, times } from './support/races.ts'
import { type Service, startService } from './support/service.ts'
import { USERS } from './support/users.ts'

const HOME = '203.0.113.7'
const pagesOf = async (service: Service, event = 'users.read') =>
  (await eventsOf(service, event)).map(({ ip, changes }) => [ip, changes.pages])

describe('what admins read is in the audit log', () => {
  test('by pages, not by rows, searches and single users among them', async () => {
    await using service = await startService()
    const { id, access: token } = await service.addAdmin()
    const ann = await service.addUser()
    const sent = { token, ip: HOME }

    const first = await service.get(`${USERS}?limit=1`, sent)
    await service.get(`${USERS}?q=ann`, sent)
    await service.get(`${USERS}/${ann.id}`, sent)
    await service.get('/api/v1/mail', sent)
    await service.get('/users', sent)

    const [event, ...others] = await eventsOf(service, 'users.read')
    assert.deepEqual(others, [])
    assert.deepEqual(event?.changes, { pages: 4 })
    assert.deepEqual([event?.actor_id, event?.subject_id, event?.ip], [id, null, HOME])
    assert.equal(event?.request_id, first.headers['x-request-id'])
    assert.deepEqual(await pagesOf(service, 'mail.read'), [[HOME, 1]])
  })

  test('for each admin, IP address and hour', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addAdmin(), await service.addAdmin()]
    const list = ({ access: token }: { access: string }, ip: string) =>
      service.get(USERS, { token, ip })

    await list(ann, HOME)
    await list(ann, HOME)
    await list(ann, '198.51.100.66')
    await list(bob, HOME)
    service.advance(HOUR_MS)
    await list({ access: (await service.logIn(ann.email)).access }, HOME)

    assert.deepEqual(await pagesOf(service), [
      [HOME, 2],
      ['198.51.100.66', 1],
      [HOME, 1],
      [HOME, 1],
    ])
  })

  test('in at most ten events an hour, whatever addresses they come from', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()

    await oneByOne(15, (n) => service.get(USERS, { token, ip: `192.0.2.${n}` }))

    const pages = (await pagesOf(service)).map(([, count]) => Number(count))
    assert.equal(pages.length, 10)
    assert.equal(
      pages.reduce((sum, count) => sum + count, 0),
      15,
    )
  })

  test('all of them, when two replicas are asked at once', async () => {
    await using replicas = await startReplicas()
    const [service] = replicas.pair
    const { access: token } = await service.addAdmin()

    await atOnce(20, replicas.pair, (replica) => replica.get(USERS, { token, ip: HOME }))

    assert.deepEqual(await pagesOf(service), [[HOME, 20]])
  })

  test('but not what was refused or does not exist', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()

    await service.get(USERS, { token: ann.access })
    await service.get(`${USERS}?after=x`, { token: admin.access })
    await service.get(`${USERS}/999999`, { token: admin.access })
    await service.get('/api/v1/me', { token: admin.access })

    assert.deepEqual(await pagesOf(service), [])
  })

  test('200 though the audit log cannot be written, which is logged', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    await service.ctx.transaction((tx) =>
      sql`alter table audit_events rename to elsewhere`.execute(tx),
    )

    const answers = await Promise.all(times(2).map(() => service.get(USERS, { token })))

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.ok(service.logged.some((line) => line.includes('read not recorded')))
  })

  test('401 for the token of a deleted admin, whose network is not kept', async () => {
    await using service = await startService()
    const [root, eve] = [await service.addAdmin(), await service.addAdmin()]
    await service.get(USERS, { token: eve.access, ip: HOME })

    await service.delete(`${USERS}/${eve.id}`, { token: root.access })

    assertProblem(await service.get(USERS, { token: eve.access, ip: HOME }), 'invalid_token')
    assert.deepEqual(await pagesOf(service), [[null, 1]])
  })
})
