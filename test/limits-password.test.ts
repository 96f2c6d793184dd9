import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOUR_MS, SECOND_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, times } from './support/races.ts'
import { NEW_PASSWORD } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

describe('limits of the current password', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const change = (token: string, current: string, next: string = NEW_PASSWORD) =>
    service.post(
      '/api/v1/me/password',
      { current_password: current, new_password: next },
      { token },
    )
  const fail = (token: string) => change(token, 'not it, sorry')
  const deleteMe = (token: string) =>
    service.delete('/api/v1/me', { token, body: { current_password: PASSWORD } })
  const useRefresh = (refresh: string) =>
    service.post('/api/v1/auth/refresh', { refresh_token: refresh })

  async function failOften(token: string, count: number): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const _ of times(count)) answers.push(await fail(token))
    return answers
  }

  /** So often as they are compared, for as long as it takes; returns the session and its pauses in seconds. */
  async function failPatiently({ refresh }: { refresh: string }, count: number) {
    const pauses: number[] = []
    let session = { access: '', refresh }
    for (let compared = 0; compared < count;) {
      const { body } = await useRefresh(session.refresh)
      session = { access: body.access_token, refresh: body.refresh_token }
      const answer = await fail(session.access)
      if (answer.status === 403) compared++
      else assertProblem(answer, 'too_many_requests')
      if (answer.status !== 429) continue
      pauses.push(Number(answer.headers['retry-after']))
      service.advance(pauses.at(-1)! * SECOND_MS)
    }
    return { ...session, pauses }
  }

  describe('the current password', () => {
    test('429 after ten wrong ones in ten minutes, for this session alone', async () => {
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const elsewhere = await service.logIn(ann.email)
      const answers = await failOften(ann.access, 10)

      const refused = await change(ann.access, ann.password)
      const others = [await change(bob.access, bob.password), await deleteMe(elsewhere.access)]

      assert.deepEqual(countStatuses(answers), { 403: 10 })
      for (const answer of answers) assertProblem(answer, 'wrong_password')
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"current_password";q=10;w=600')
      assert.deepEqual(countStatuses(others), { 204: 2 })
    })

    test('the pauses grow; after 50 wrong ones in a row the next ends the session, right or wrong', async () => {
      const ann = await service.addUser()
      const thief = await failPatiently(ann, 50)
      service.advance(HOUR_MS)
      const { body } = await useRefresh(thief.refresh)

      const ended = await change(body.access_token, ann.password)
      const after = [
        await service.get('/api/v1/me', { token: body.access_token }),
        await useRefresh(body.refresh_token),
      ]
      const [event] = (await rowsOf(service.ctx, 'audit_events')).slice(-1)
      const owner = await service.logIn(ann.email)
      const changed = await change(owner.access, ann.password)

      assert.deepEqual(thief.pauses.slice(0, 9), [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
      for (const answer of [ended, ...after]) assertProblem(answer, 'invalid_token')
      assert.equal(changed.status, 204)
      assert.deepEqual([event['event'], event['subject_id']], ['session.ended', ann.id])
      const changes = { session_id: ann.refresh.split('.')[0], reason: 'wrong_passwords' }
      assert.deepEqual(JSON.parse(String(event['changes'])), changes)
    })

    test('a right one forgets the wrong ones before it', async () => {
      const ann = await service.addUser()
      let { password } = ann
      for (const n of times(7)) {
        const answers = await failOften(ann.access, 9)
        const next = `${NEW_PASSWORD} ${n}`
        const changed = await change(ann.access, password, next)

        assert.deepEqual(countStatuses(answers), { 403: 9 })
        assert.equal(changed.status, 204, changed.text)
        password = next
      }
    })

    test('of 100 at once ten are compared', async () => {
      const ann = await service.addUser()
      const answers = await Promise.all(times(100).map(() => fail(ann.access)))
      assert.deepEqual(countStatuses(answers), { 403: 10, 429: 90 })
    })
  })
})
