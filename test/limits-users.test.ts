import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'

const ME = '/api/v1/me'

describe('limits of a user', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const rename = ({ access: token }: { access: string }, n = 0) =>
    service.patch(ME, { full_name: `Ann ${n}` }, { token })

  /** What a user does, and the status of each that counts. */
  const writes: readonly [string, (user: TestUser) => Promise<Answer>, number][] = [
    ['PATCH /me', rename, 200],
    ['PATCH /users/{id}', (user) => renameById(user), 200],
    ['POST /me/phone', (user) => addPhone(user), 202],
    ['DELETE /me/phone', ({ access: token }) => service.delete(`${ME}/phone`, { token }), 204],
  ]

  const addPhone = ({ access: token }: TestUser) =>
    service.post(`${ME}/phone`, { phone: '+4915123456789' }, { token })
  const renameById = ({ id, access: token }: TestUser) =>
    service.patch(`/api/v1/users/${id}`, { full_name: 'Ann' }, { token })

  async function often(count: number, act: (n: number) => Promise<Answer>): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const n of times(count)) answers.push(await act(n))
    return answers
  }

  describe('logins of a user', () => {
    const logIn = ({ email }: TestUser, password = PASSWORD) =>
      service.post('/api/v1/auth/login', { email, password })
    const sessionsOf = async ({ id }: TestUser) =>
      (await rowsOf(service.ctx, 'sessions')).filter(({ user_id }) => user_id === id).length

    test('429 after two hundred in an hour, from wherever, and only for the right password', async () => {
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const made = await often(199, () => logIn(ann))
      const before = await sessionsOf(ann)

      const wrong = await logIn(ann, 'not the password')
      const refused = await logIn(ann)
      const after = await sessionsOf(ann)
      const others = await logIn(bob)
      const open = await service.get(ME, { token: String(made.at(-1)?.body.access_token) })
      service.advance(HOUR_MS)
      const later = await logIn(ann)

      assert.deepEqual(countStatuses(made), { 200: 199 })
      assertProblem(wrong, 'invalid_credentials')
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"own_logins";q=200;w=3600')
      assert.equal(refused.headers['retry-after'], '3600')
      assert.equal(after, before)
      assert.deepEqual([others.status, open.status, later.status], [200, 200, 200])
    })
  })

  describe('writes of a user', () => {
    for (const [route, write, status] of writes) {
      test(`429 for ${route} after 60 writes in ten minutes, for this user alone`, async () => {
        const [ann, bob] = [await service.addUser(), await service.addUser()]
        const made = [await write(ann), ...(await often(59, (n) => rename(ann, n)))]

        const refused = await write(ann)
        const others = await write(bob)
        service.advance(10 * MINUTE_MS)
        const later = await write(ann)

        assert.deepEqual([made[0]?.status, countStatuses(made)[429]], [status, undefined])
        assertProblem(refused, 'too_many_requests')
        assert.equal(refused.headers['ratelimit-policy'], '"own_writes";q=60;w=600')
        assert.deepEqual([others.status, later.status], [status, status])
      })
    }

    test('401 before 429, and 429 before 415 and 422', async () => {
      const ann = await service.addUser()
      await often(60, (n) => rename(ann, n))
      const headers = { 'content-type': 'text/plain' }

      const broken = await service.patch(ME, 'x', { token: ann.access, headers })
      const wrong = await service.patch(ME, { x: 1 }, { token: ann.access })
      const nobody = await service.patch(ME, { full_name: 'x' }, { token: 'garbage' })

      assertProblem(broken, 'too_many_requests')
      assertProblem(wrong, 'too_many_requests')
      assertProblem(nobody, 'invalid_token')
    })

    test('a thief who uses them up keeps the owner from nothing that helps', async () => {
      const ann = await service.addUser()
      const thief = await service.logIn(ann.email)
      await often(60, (n) => rename(thief, n))

      const body = { current_password: PASSWORD, new_password: 'a better one than before' }
      const changed = await service.post(`${ME}/password`, body, { token: ann.access })
      const ended = await service.delete(`${ME}/sessions`, { token: ann.access })

      assert.deepEqual([changed.status, ended.status], [204, 204])
    })

    test('an admin’s are not counted', async () => {
      const [admin, ann] = [await service.addAdmin(), await service.addUser()]

      const answers = await often(70, (n) =>
        service.patch(
          `/api/v1/users/${ann.id}`,
          { full_name: `Ann ${n}` },
          { token: admin.access },
        ),
      )

      assert.deepEqual(countStatuses(answers), { 200: 70 })
    })

    test('of 100 at once 60 are written', async () => {
      const ann = await service.addUser()
      const answers = await Promise.all(times(100).map((n) => rename(ann, n)))
      const events = await rowsOf(service.ctx, 'audit_events')

      assert.deepEqual(countStatuses(answers), { 200: 60, 429: 40 })
      const changed = events.filter(
        (row) => row['event'] === 'user.changed' && row['subject_id'] === ann.id,
      )
      assert.equal(changed.length, 60)
    })
  })

  describe('exports of a user', () => {
    test('429 after ten in an hour', async () => {
      const ann = await service.addUser()
      const fetch = () => service.get(`${ME}/export`, { token: ann.access })
      const answers = await often(10, fetch)

      const refused = await fetch()
      const written = await rename(ann)
      service.advance(HOUR_MS)
      const { access: token } = await service.logIn(ann.email)
      const later = await service.get(`${ME}/export`, { token })

      assert.deepEqual(countStatuses(answers), { 200: 10 })
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['retry-after'], String(HOUR_MS / SECOND_MS))
      assert.deepEqual([written.status, later.status], [200, 200])
    })
  })

  test('the API’s description lists 429 for each of them', async () => {
    const { paths } = (await service.get('/openapi.json')).body
    for (const route of [...writes.map(([name]) => name), 'GET /me/export']) {
      const [method = '', path = ''] = route.split(' ')
      const answer = paths[`/api/v1${path}`][method.toLowerCase()].responses['429']
      assert.match(answer?.description ?? '', /`too_many_requests`/, route)
    }
  })
})
