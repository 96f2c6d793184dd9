import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { changeEmail } from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { pagesFrom } from '../../support/pages.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { forget } from '../../support/resets.ts'
import { seedMessages } from '../../support/seed.ts'
import { type Service, startService } from '../../support/service.ts'
import { nextOf, USERS } from '../../support/users.ts'

interface Listed {
  readonly id: string
  readonly kind: string
  readonly recipient: string | null
  readonly created_at: string
}

const kindsOf = ({ body }: { body: Listed[] }) => body.map(({ kind }) => kind)

async function startWithAdmin(settings: Record<string, string> = {}) {
  const service = await startService(settings)
  const { access: token } = await service.addAdmin()
  const list = (id: number, query = '') => service.get(`${USERS}/${id}/mail?${query}`, { token })
  return { service, token, list, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

/** With a message of two others, who must not be in the list. */
async function addAnn(service: Service) {
  await service.signUp('bob@example.com')
  await service.registerUser('eve@example.com')
  return service.registerUser('ann@example.com')
}

describe('GET /users/{id}/mail', () => {
  test('200 with the messages of this user as GET /mail has them, the newest first', async () => {
    await using started = await startWithAdmin()
    const { service, token, list } = started
    const ann = await addAnn(service)
    service.advance(MINUTE_MS)
    await forget(service, ann.email)

    const answer = await list(ann.id)

    assert.equal(answer.status, 200)
    const kinds = kindsOf(answer)
    assert.deepEqual(kinds.slice(0, 2).toSorted(), ['password_reset', 'reset_link'])
    assert.deepEqual(kinds.slice(2).toSorted(), ['reminder', 'verification'])
    const all = await service.get('/api/v1/mail?limit=100', { token })
    const byId = new Map(all.body.map((mail: Listed) => [mail.id, mail]))
    for (const mail of answer.body) assert.deepEqual(mail, byId.get(mail.id))
    const times = answer.body.map((mail: Listed) => mail.created_at)
    assert.deepEqual(times, times.toSorted().toReversed())
  })

  test('200 with what went to a former address of the user, with a user id or without', async () => {
    await using started = await startWithAdmin()
    const { service, list } = started
    const ann = await addAnn(service)
    await forget(service, ann.email)

    await changeEmail(service, ann, 'ann.lee@example.com')

    const { body } = await list(ann.id)
    const former = body.filter(({ recipient }: Listed) => recipient === 'ann@example.com')
    assert.deepEqual(kindsOf({ body: former }).toSorted(), [
      'email_changed',
      'reset_link',
      'verification',
    ])
    // A request, which was answered with the link.
    assert.ok(kindsOf({ body }).includes('password_reset'))
  })

  test('200 without what went to the address before it was the user’s', async () => {
    await using started = await startWithAdmin()
    const { service } = started
    const eve = await service.registerUser('shared@example.com')
    await changeEmail(service, eve, 'eve@example.com')
    service.advance(4 * DAY_MS)
    const [ann, admin] = [await service.addUser('shared@example.com'), await service.addAdmin()]

    const { body } = await service.get(`${USERS}/${ann.id}/mail`, { token: admin.access })

    assert.deepEqual(body, [])
  })

  test('200 page by page, each message once, by links that name the user', async () => {
    await using started = await startWithAdmin({ PUBLIC_URL: 'https://shop.example' })
    const { service, token, list } = started
    const ann = await service.addUser()
    await seedMessages(service.ctx, { userId: ann.id, email: ann.email, count: 10 })

    const first = await list(ann.id, 'limit=3')
    const pages = await pagesFrom(service, `${USERS}/${ann.id}/mail?limit=3`, { token })

    assert.match(nextOf(first) ?? '', new RegExp(`^/api/v1/users/${ann.id}/mail\\?limit=3&after=`))
    const all = await list(ann.id)
    assert.equal(all.body.length, 10)
    assert.deepEqual(pages.flat(), all.body)
  })

  test('422 for a cursor of another user, and for filters', async () => {
    await using started = await startWithAdmin()
    const { service, list } = started
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await seedMessages(service.ctx, { userId: ann.id, email: ann.email, count: 2 })
    const next = nextOf(await list(ann.id, 'limit=1')) ?? ''

    assertInvalid(await list(bob.id, next.split('?')[1]), 'after', 'cursor')
    assertInvalid(await list(ann.id, 'state=sent'), 'state')
    assertInvalid(await list(ann.id, 'limit=101'), 'limit')
  })

  test('200 counts in the audit log as the look at a list of messages', async () => {
    await using started = await startWithAdmin()
    const { service, list } = started
    const ann = await service.addUser()

    await list(ann.id)

    assert.deepEqual((await eventsOf(service, 'mail.read'))[0]?.changes, { pages: 1 })
  })

  test('404 not_found for a deleted user, whose messages no other user has', async () => {
    await using started = await startWithAdmin()
    const { service, token, list } = started
    const ann = await addAnn(service)
    await service.delete(`${USERS}/${ann.id}`, { token })

    const again = await service.addUser(ann.email)

    assertProblem(await list(ann.id), 'not_found')
    assert.deepEqual((await list(again.id)).body, [])
  })

  test('403 forbidden for users, even for their own; 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = `${USERS}/${ann.id}/mail`

    assertProblem(await service.get(url, { token: ann.access }), 'forbidden')
    assertProblem(await service.get(url), 'authentication_required')
  })
})
