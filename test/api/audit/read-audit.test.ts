import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { recordEvent } from '../../../server/audit/events.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../../../server/lib/units.ts'
import { pagesFrom } from '../../support/pages.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { type Service, startService, type TestUser } from '../../support/service.ts'
import { nextOf } from '../../support/users.ts'

const AUDIT = '/api/v1/audit'

describe('GET /audit', () => {
  let service: Service
  let admin: TestUser
  let ann: TestUser
  before(async () => {
    service = await startService()
    admin = await service.addAdmin('boss@example.com')
    ann = await service.addUser('ann@example.com', undefined, 'Ann Canary')
    await service.logIn(admin.email)
    service.advance(5 * MINUTE_MS)
    await service.patch(`/api/v1/users/${ann.id}`, { role: 'admin' }, as(admin))
    await service.patch(`/api/v1/users/${ann.id}`, { full_name: 'Ann Other' }, as(admin))
    await service.patch(`/api/v1/users/${ann.id}`, { role: 'user' }, as(admin))
    service.advance(5 * MINUTE_MS)
    await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, as(admin))
  })
  after(() => service[Symbol.asyncDispose]())

  const as = (user: TestUser) => ({ token: user.access, ip: '203.0.113.7' })
  const read = (query = '') => service.get(`${AUDIT}?${query}`, as(admin))
  const record = (subjectId: number, atMs: number) =>
    service.ctx.transaction((tx) => recordEvent(tx, { event: 'data.exported', subjectId }, atMs))
  const names = async (query = '') =>
    (await read(query)).body.map((event: { event: string }) => event.event)

  test('200 with actor, subject, before and after, address and request, and no name', async () => {
    const answer = await read(`subject_id=${ann.id}&event=user.role_changed`)

    const [newest, older] = answer.body
    assert.equal(answer.status, 200)
    assert.equal(answer.body.length, 2)
    assert.deepEqual(Object.keys(newest).toSorted(), [
      'actor_id',
      'at',
      'changes',
      'event',
      'id',
      'ip',
      'request_id',
      'subject_id',
    ])
    assert.deepEqual(
      [newest.actor_id, newest.subject_id, newest.ip, newest.changes],
      [admin.id, ann.id, '203.0.113.7', { before: 'admin', after: 'user' }],
    )
    assert.deepEqual(older.changes, { before: 'user', after: 'admin' })
    assert.match(newest.request_id, /^[0-9a-f-]{36}$/)
    assert.ok(newest.id > older.id)
    assert.doesNotMatch((await read('limit=100')).text, /Ann|example\.com/)
  })

  test('200 newest first; the filters together narrow it down', async () => {
    const sinceLately = encodeURIComponent(toIso(service.clock.nowMs - 5 * MINUTE_MS))
    const inMiddle = encodeURIComponent('2026-01-01T14:03:00+02:00')

    assert.deepEqual(await names(`actor_id=${admin.id}&subject_id=${ann.id}`), [
      'user.disabled',
      'user.role_changed',
      'user.changed',
      'user.role_changed',
    ])
    assert.deepEqual(await names('event=user.disabled'), ['user.disabled'])
    assert.equal((await names(`since=${sinceLately}`)).length, 4)
    assert.deepEqual(await names(`since=${sinceLately}&event=user.changed`), ['user.changed'])
    assert.equal((await names(`until=${inMiddle}&actor_id=${admin.id}`)).at(0), 'session.opened')
    assert.deepEqual(await names('actor_id=4711'), [])
  })

  test('200 page by page, each event once, whatever is added meanwhile', async () => {
    const all = (await read('limit=100')).body.map((event: { id: number }) => event.id)
    const pages = await pagesFrom(service, `${AUDIT}?limit=3`, {
      token: admin.access,
      between: () => record(4711, service.ctx.now()),
    })

    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      all,
    )
  })

  test('200 in the order of the clock, each event once, when a clock was put back', async () => {
    const late = service.ctx.now() + MINUTE_MS
    for (const at of [late, late - 1, late, late - 2]) await record(4712, at)

    const url = `${AUDIT}?limit=1&subject_id=4712`
    const seen = (await pagesFrom(service, url, { token: admin.access })).flat()

    assert.deepEqual(
      seen.map(({ at }) => Date.parse(at) - late),
      [0, 0, -1, -2],
    )
    assert.ok(seen[0].id > seen[1].id)
  })

  test('200 by actor: what was done to oneself, to others and to nobody, in one order', async () => {
    const [actorId, other] = [4713, 4714]
    const atMs = service.ctx.now() - DAY_MS
    const subjects = [actorId, other, actorId, undefined, other, actorId]
    for (const [n, subjectId] of subjects.entries())
      await service.ctx.transaction((tx) =>
        recordEvent(
          tx,
          { event: 'user.changed', actorId, ...(subjectId !== undefined && { subjectId }) },
          atMs + n,
        ),
      )
    await record(actorId, atMs)
    const subjectsOf = async (query: string) => {
      const url = `${AUDIT}?limit=2&actor_id=${actorId}${query}`
      const seen = (await pagesFrom(service, url, { token: admin.access })).flat()
      return seen.map((event) => event.subject_id ?? undefined)
    }

    assert.deepEqual(await subjectsOf(''), subjects.toReversed())
    assert.deepEqual(await subjectsOf(`&subject_id=${actorId}`), [actorId, actorId, actorId])
    assert.deepEqual(await subjectsOf(`&subject_id=${other}`), [other, other])
  })

  test('422 for a cursor of other filters', async () => {
    const page = await read(`limit=1&actor_id=${admin.id}`)
    const cursor = new URL(nextOf(page) ?? '', 'http://x').searchParams.get('after')

    for (const query of ['', `actor_id=${ann.id}&`, `actor_id=${admin.id}&event=user.changed&`])
      assertInvalid(await read(`${query}after=${cursor}`), 'after', 'cursor')
  })

  for (const query of [
    'limit=0',
    'limit=101',
    'limit=1e1',
    'actor_id=0',
    'actor_id=0x1',
    'subject_id=9007199254740993',
    'event=user.renamed',
    'event=user.changed&event=user.deleted',
    'since=yesterday',
    'since=2026-13-01T00:00:00Z',
    'since=0000-01-01T00:00:00Z',
    'until=9999-12-31T23:59:59-12:00',
    'until=2026-01-01',
    'after=x',
    'ip=203.0.113.7',
  ]) {
    test(`422 for ${query}`, async () => {
      assertProblem(await read(query), 'validation_failed')
    })
  }

  test('401 and 403 for everybody but admins', async () => {
    const bob = await service.addUser()

    assertProblem(await service.get(AUDIT), 'authentication_required')
    assertProblem(await service.get(AUDIT, as(bob)), 'forbidden')
  })

  test('405 for everything that would change it', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      assertProblem(await service.request(method, AUDIT, as(admin)), 'method_not_allowed')
  })
})
