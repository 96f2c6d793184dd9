import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'
import { LOGIN, LOGOUT, REFRESH, sessionIdOf, SESSIONS, tokensOf } from '../../support/sessions.ts'

const PHONE = 'CoffeeApp/2.1 (Pixel 10)'
const LAPTOP = 'Mozilla/5.0 Firefox/140.0'

/** Logs in from a device at an address. */
async function logInFrom(service: Service, email: string, { ip, device = '' }: From) {
  const headers = { 'user-agent': device }
  const answer = await service.post(LOGIN, { email, password: PASSWORD }, { ip, headers })
  const tokens = tokensOf(answer)
  return { ...tokens, id: sessionIdOf(tokens) }
}
interface From {
  readonly ip: string
  readonly device?: string
}

async function idsOf(service: Service, token: string): Promise<string[]> {
  const answer = await service.get(SESSIONS, { token })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.map((session: { id: string }) => session.id)
}

describe('GET /me/sessions', () => {
  test('200 with device, origin and last use, the one used last first', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    service.advance(MINUTE_MS)
    const phone = await logInFrom(service, ann.email, { ip: '203.0.113.7', device: PHONE })
    service.advance(MINUTE_MS)
    const laptop = await logInFrom(service, ann.email, { ip: '2001:db8::5', device: LAPTOP })
    service.advance(MINUTE_MS)
    const headers = { 'user-agent': `${PHONE} updated` }
    const sent = { ip: '203.0.113.8', headers }
    const { body: pair } = await service.post(REFRESH, { refresh_token: phone.refresh }, sent)

    const answer = await service.get(SESSIONS, { token: pair.access_token })

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body.slice(0, 2), [
      {
        id: phone.id,
        created_at: '2026-01-01T12:01:00.000Z',
        last_seen_at: '2026-01-01T12:03:00.000Z',
        ip: '203.0.113.8',
        user_agent: `${PHONE} updated`,
        current: true,
      },
      {
        id: laptop.id,
        created_at: '2026-01-01T12:02:00.000Z',
        last_seen_at: '2026-01-01T12:02:00.000Z',
        ip: '2001:db8::5',
        user_agent: LAPTOP,
        current: false,
      },
    ])
    assert.deepEqual(
      answer.body.slice(2).map((session: { id: string }) => session.id),
      [sessionIdOf(ann)],
    )
    assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test('200 with null for a device that did not name itself', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    const { access: token } = await logInFrom(service, ann.email, { ip: '203.0.113.7' })

    const { body } = await service.get(SESSIONS, { token })

    const current = body.find((session: { current: boolean }) => session.current)
    assert.equal(current.user_agent, null)
  })

  test('200 with live sessions only: not what was logged out, ended by an admin, idle or too old', async () => {
    await using service = await startService({ SESSION_MAX_DAYS: '8' })
    const admin = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    await service.delete(`/api/v1/users/${ann.id}/sessions`, { token: admin.access })
    const old = await service.logIn(ann.email)
    service.advance(DAY_MS)
    const idle = await service.logIn(ann.email)
    const loggedOut = await service.logIn(ann.email)
    await service.post(LOGOUT, { refresh_token: loggedOut.refresh })
    service.advance(5 * DAY_MS)
    await service.post(REFRESH, { refresh_token: old.refresh })
    const live = await service.logIn(ann.email)
    const all = await idsOf(service, live.access)
    service.advance(2 * DAY_MS)
    const { body: pair } = await service.post(REFRESH, { refresh_token: live.refresh })

    assert.deepEqual(all.toSorted(), [live, idle, old].map(sessionIdOf).toSorted())
    assert.deepEqual(await idsOf(service, pair.access_token), [sessionIdOf(live)])
  })

  test('200 with nobody else’s sessions', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]

    assert.deepEqual(await idsOf(service, ann.access), [sessionIdOf(ann)])
    assert.deepEqual(await idsOf(service, bob.access), [sessionIdOf(bob)])
  })
})
