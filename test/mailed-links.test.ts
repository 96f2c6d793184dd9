import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mac } from '../server/keys/key-ring.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import {
  changeEmail,
  emailChanges,
  emailCodeFor,
  emailOf,
  UNDO,
  undoEmail,
  undoTokenFor,
} from './support/email-changes.ts'
import { countHashes } from './support/hashes.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { ROUNDS, startReplicas, times, turns } from './support/races.ts'
import { NEW_PASSWORD, reset, RESET, resetsOf, tokenFor } from './support/resets.ts'
import { assertDead, LOGIN, openSessions, refresh, tokensOf } from './support/sessions.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  SETTINGS,
  startService,
  type TestUser,
} from './support/service.ts'
import { respell } from './support/tokens.ts'
import { rowOf } from './support/users.ts'

// Links that are mailed: to set a new password, and to take back a change of the address.

const EMAIL = 'ann@example.com'
const OTHER = 'bob@example.com'
const NEW_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'

interface Kind {
  readonly purpose: 'reset' | 'undo'
  readonly url: string
  readonly refusal: 'invalid_reset_token' | 'invalid_undo_token'
  readonly lifetimeMs: number
  /** The status for a link that was mailed before. */
  readonly onceDisabled: 200 | 400
  /** What else its endpoint takes. */
  readonly fields: object
  /** Has a link mailed to a user; returns its token. */
  mail(service: Service, user: TestUser): Promise<string>
  use(service: Service, token: string): Promise<Answer>
}

const KINDS: readonly (readonly [what: string, kind: Kind])[] = [
  [
    'a link to set a new password',
    {
      purpose: 'reset',
      url: RESET,
      refusal: 'invalid_reset_token',
      lifetimeMs: 30 * MINUTE_MS,
      onceDisabled: 400,
      fields: { password: NEW_PASSWORD },
      mail: (service, { email }) => tokenFor(service, email),
      use: (service, token) => reset(service, token),
    },
  ],
  [
    'a link to take back a change of the address',
    {
      purpose: 'undo',
      url: UNDO,
      refusal: 'invalid_undo_token',
      lifetimeMs: 72 * HOUR_MS,
      onceDisabled: 200,
      fields: {},
      async mail(service, user) {
        await changeEmail(service, user, `new.${user.email}`)
        return undoTokenFor(service, user.email)
      },
      use: undoEmail,
    },
  ],
]

for (const [what, kind] of KINDS) {
  const { purpose, url, refusal, lifetimeMs, onceDisabled, fields, mail, use } = kind
  describe(what, () => {
    test('200 ends every session at once, access and refresh tokens alike', async () => {
      await using service = await startService()
      const ann = await service.addUser(EMAIL)
      const other = await service.logIn(EMAIL)
      const token = await mail(service, ann)

      await use(service, token)

      await assertDead(service, ann, other)
    })

    test('no session survives it, against logins and a refresh', async () => {
      await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
      const [first, second] = replicas.pair

      for (const n of times(ROUNDS)) {
        const racer = await first.addUser(`racer${n}@example.com`)
        const token = await mail(first, racer)
        const emails = [racer.email, await emailOf(first, racer)]
        const [used, ...others] = await Promise.all([
          turns(n % 5).then(() => use(first, token)),
          refresh(second, racer.refresh),
          ...times(6).map(async (turn) => {
            await turns(turn)
            return second.post(LOGIN, { email: emails[turn % 2], password: PASSWORD })
          }),
        ])

        assert.equal(used.status, 200, used.text)
        for (const answer of others) assert.ok([200, 401].includes(answer.status), answer.text)
        assert.equal(await openSessions(first, racer), 0)
        const opened = others.filter(({ status }) => status === 200)
        await assertDead(second, ...opened.map((answer) => tokensOf(answer)))
      }
    })

    test('200 a second before its end, 400 at its end', async () => {
      await using service = await startService()
      const [ann, bob] = [await service.addUser(EMAIL), await service.addUser(OTHER)]
      const startedAtMs = service.clock.nowMs
      const first = await mail(service, ann)
      service.clock.nowMs = startedAtMs
      const second = await mail(service, bob)

      service.advance(lifetimeMs - SECOND_MS)
      const before = await use(service, first)
      service.advance(SECOND_MS)
      const unchanged = await rowOf(service, bob)
      const after = await use(service, second)

      assert.equal(before.status, 200)
      assertProblem(after, refusal)
      assert.deepEqual(await rowOf(service, bob), unchanged)
    })

    test('200 once: 400 for one that was used', async () => {
      await using service = await startService()
      const token = await mail(service, await service.addUser(EMAIL))
      const first = await use(service, token)

      const again = await use(service, token)

      assert.equal(first.status, 200)
      assertProblem(again, refusal)
    })

    test(`${onceDisabled} once the account was disabled, which it stays`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const ann = await service.addUser(EMAIL)
      const token = await mail(service, ann)
      await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token: admin.access })

      const answer = await use(service, token)

      assert.equal(answer.status, onceDisabled)
      assert.notEqual((await rowOf(service, ann)).disabled_at, null)
    })

    test('400 once the account is deleted, though its address is signed up again', async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const ann = await service.addUser(EMAIL)
      const token = await mail(service, ann)
      await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })
      await service.addUser(EMAIL)

      assertProblem(await use(service, token), refusal)
      await service.logIn(EMAIL)
    })

    for (const [why, previous, status] of [
      ['200 while its key is still accepted', SETTINGS.SECRET_KEY, 200],
      ['400 once its key is gone', '', 400],
    ] as const) {
      test(`${why}, after the secret key was changed`, async () => {
        await using old = await startService()
        const token = await mail(old, await old.addUser(EMAIL))
        const settings = { SECRET_KEY: NEW_KEY, SECRET_KEY_PREVIOUS: previous }
        await using service = await startService(settings, { replicaOf: old })

        assert.equal((await use(service, token)).status, status)
      })
    }
  })

  describe(`what is not the token of ${what}`, () => {
    let service: Service
    let ann: TestUser
    let token: string
    let id: string
    before(async () => {
      service = await startService()
      ann = await service.addUser(EMAIL)
      token = await mail(service, ann)
      ;[id = ''] = token.split('.')
    })
    after(() => service[Symbol.asyncDispose]())

    const stored = async () => [
      await rowOf(service, ann),
      await resetsOf(service),
      await emailChanges(service),
    ]
    const linkMac = (text: string) => mac(service.ctx.keys.current.of.link, text)
    const unsigned = () =>
      ['{"alg":"none","typ":"at+jwt"}', JSON.stringify({ sub: String(ann.id) }), '']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.')
    const UNKNOWN = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'
    const others = purpose === 'reset' ? 'undo' : 'reset'

    for (const [why, forge] of [
      ['an access token', () => ann.access],
      ['an unsigned token', unsigned],
      ['a refresh token', () => ann.refresh],
      ['the id alone', () => id],
      ['the id with no MAC', () => `${id}.`],
      ['a MAC cut short', () => token.slice(0, -1)],
      ['one letter more', () => `${token}A`],
      ['a letter changed', () => token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
      ['another spelling of the same bytes', () => respell(token)],
      ['the id in upper case', () => token.replace(id, id.toUpperCase())],
      ['another id', () => token.replace(id, UNKNOWN)],
      ['an outer space', () => ` ${token}`],
      ['a line break after it', () => `${token}\n`],
      ['a whole link', () => `http://localhost:8000/reset#token=${token}`],
      ['the MAC of another purpose', () => `${id}.${ann.refresh.split('.')[2]}`],
      ['the MAC of the id alone', () => `${id}.${linkMac(id)}`],
      ['the MAC of the other kind of link', () => `${id}.${linkMac(`${others}:${id}`)}`],
      ['the right MAC of an unknown id', () => `${UNKNOWN}.${linkMac(`${purpose}:${UNKNOWN}`)}`],
      ['NUL', () => '\0'],
    ] as const) {
      test(`400 for ${why}: no hash is computed and nothing changes`, async () => {
        const before = await stored()
        const hashes = countHashes(service)

        const answer = await use(service, forge())

        assertProblem(answer, refusal)
        assert.deepEqual(hashes, { made: 0, verified: 0 })
        assert.deepEqual(await stored(), before)
      })
    }

    for (const [why, body, pointer] of [
      ['no token', fields, '/token'],
      ['an empty token', { ...fields, token: '' }, '/token'],
      ['null', { ...fields, token: null }, '/token'],
      ['a number', { ...fields, token: 7 }, '/token'],
      ['a list', { ...fields, token: [] }, '/token'],
      ['the address of another', { ...fields, token: 'x', email: 'b@x.io' }, '/email'],
      ['the id of another', { ...fields, token: 'x', user_id: 1 }, '/user_id'],
    ] as const) {
      test(`422 for ${why}`, async () => {
        assertInvalid(await service.post(url, body), pointer)
      })
    }

    for (const method of ['GET', 'HEAD']) {
      test(`405 for the ${method} of a mail scanner`, async () => {
        const before = await stored()

        const answer = await service.request(method, `${url}?token=${token}`)

        assert.equal(answer.status, 405)
        assert.deepEqual(await stored(), before)
      })
    }

    test('200 for the token itself, after all that', async () => {
      assert.equal((await use(service, token)).status, 200)
    })
  })
}

test('400 for a change that waits for its code: nobody was mailed its link, but it could be made', async () => {
  await using service = await startService()
  const ann = await service.addUser(EMAIL)
  await emailCodeFor(service, ann, 'new@example.com')
  const [{ id } = { id: '' }] = await emailChanges(service)
  const token = `${id}.${mac(service.ctx.keys.current.of.link, `undo:${id}`)}`

  assertProblem(await undoEmail(service, token), 'invalid_undo_token')
  assert.equal(await emailOf(service, ann), EMAIL)
})

test('400 for the MAC of the key of now where the link was made with the one before', async () => {
  await using old = await startService()
  const ann = await old.addUser(EMAIL)
  await changeEmail(old, ann, 'new@example.com')
  const settings = { SECRET_KEY: NEW_KEY, SECRET_KEY_PREVIOUS: SETTINGS.SECRET_KEY }
  await using service = await startService(settings, { replicaOf: old })
  const [{ id } = { id: '' }] = await emailChanges(service)
  const token = `${id}.${mac(service.ctx.keys.current.of.link, `undo:${id}`)}`

  assertProblem(await undoEmail(service, token), 'invalid_undo_token')
})
