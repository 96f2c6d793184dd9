import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ErrorCode } from '../server/errors.ts'
import { assertProblem } from './support/problem.ts'
import { openRaw, requestText } from './support/raw.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'

// A request is let in by its headers. Its body may come long after, when its sender may no longer act.

describe('a sender who may no longer act', () => {
  let service: Service
  let base: string
  let root: TestUser
  let actor: TestUser
  /** Another session of the actor. */
  let other: Pick<TestUser, 'access' | 'refresh'>
  let target: TestUser
  let admitted = Promise.withResolvers<void>()

  before(async () => {
    service = await startService()
    // The first step after the guards, and before a byte of the body is read.
    service.app.addHook('preParsing', async ({ headers }) => {
      if (headers['x-late'] !== undefined) admitted.resolve()
    })
    root = await service.addAdmin()
    base = await service.listen()
  })
  after(() => service[Symbol.asyncDispose]())

  interface LateRequest {
    readonly line: () => string
    readonly body: string
  }

  const REQUESTS = {
    'a change of another’s role': {
      line: () => `PATCH /api/v1/users/${target.id}`,
      body: '{"role":"admin"}',
    },
    'a change of another’s name': {
      line: () => `PATCH /api/v1/users/${target.id}`,
      body: '{"full_name":"Late"}',
    },
    'the deletion of another': { line: () => `DELETE /api/v1/users/${target.id}`, body: '{}' },
    'the end of another’s sessions': {
      line: () => `DELETE /api/v1/users/${target.id}/sessions`,
      body: '{}',
    },
    'a change of the own name': { line: () => 'PATCH /api/v1/me', body: '{"full_name":"Late"}' },
    'a change of the own password': {
      line: () => 'POST /api/v1/me/password',
      body: JSON.stringify({ current_password: PASSWORD, new_password: `late ${PASSWORD}` }),
    },
    'the deletion of the own account': {
      line: () => 'DELETE /api/v1/me',
      body: JSON.stringify({ current_password: PASSWORD }),
    },
    'the end of one of the own sessions': {
      line: () => `DELETE /api/v1/me/sessions/${other.refresh.split('.')[0]}`,
      body: '{}',
    },
    'the end of the own other sessions': { line: () => 'DELETE /api/v1/me/sessions', body: '{}' },
  } as const satisfies Record<string, LateRequest>
  const isOwn = (name: string) => / the own /.test(name)

  /** Sends all but the last byte, for an actor of its own; `finish` sends that and reads the answer. */
  async function begin({ line, body }: LateRequest) {
    actor = await service.addAdmin()
    other = await service.logIn(actor.email)
    target = await service.addUser()
    admitted = Promise.withResolvers()
    const headers = {
      Authorization: `Bearer ${actor.access}`,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'X-Late': 'yes',
    }
    const connection = openRaw(base, requestText(line(), headers, body.slice(0, -1)))
    await admitted.promise
    return {
      async finish(): Promise<Answer> {
        connection.send(body.slice(-1))
        const { answers } = await connection.answered
        assert.ok(answers[0], 'no answer')
        return answers[0]
      },
    }
  }

  const byRoot = () => ({ token: root.access })
  const at = ({ id }: TestUser) => `/api/v1/users/${id}`

  /** Everything that such a request may change. */
  async function stored() {
    const { db } = service.ctx
    return {
      users: await db.selectFrom('users').selectAll().orderBy('id').execute(),
      sessions: await db.selectFrom('sessions').selectAll().orderBy('id').execute(),
    }
  }

  for (const [fate, code, befall, requests] of [
    ['deleted', 'invalid_token', () => service.delete(at(actor), byRoot()), Object.keys(REQUESTS)],
    [
      'disabled',
      'invalid_token',
      () => service.patch(at(actor), { disabled: true }, byRoot()),
      Object.keys(REQUESTS),
    ],
    [
      'logged out',
      'invalid_token',
      () => service.post('/api/v1/auth/logout', undefined, { token: actor.access }),
      Object.keys(REQUESTS),
    ],
    [
      'demoted',
      'forbidden',
      () => service.patch(at(actor), { role: 'user' }, byRoot()),
      Object.keys(REQUESTS).filter((name) => !isOwn(name)),
    ],
  ] as const) {
    describe(`an admin who was ${fate} before the last byte of the body`, () => {
      for (const name of requests as (keyof typeof REQUESTS)[]) {
        test(`${code} for ${name}, and nothing changes`, async () => {
          const late = await begin(REQUESTS[name])
          const befallen = await befall()
          const before = await stored()

          const answer = await late.finish()

          assert.ok(befallen.status < 300, befallen.text)
          assertProblem(answer, code satisfies ErrorCode)
          assert.deepEqual(await stored(), before)
        })
      }
    })
  }

  test('200 for an admin who may still act when the last byte comes', async () => {
    const late = await begin(REQUESTS['a change of another’s role'])
    await service.get('/api/v1/me', { token: actor.access })

    const answer = await late.finish()

    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.role, 'admin')
  })
})
