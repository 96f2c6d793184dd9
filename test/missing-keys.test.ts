import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import {
  confirmEmail,
  emailCodeFor,
  emailCodesTo,
  undoEmail,
  undoTokenFor,
  wantEmail,
} from './support/email-changes.ts'
import { confirmPhone, newestCode, wantPhone } from './support/phones.ts'
import { FORGOT, newestToken, reset, tokenFor } from './support/resets.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'

// A worker that was not restarted while the secret key was rotated lacks the key of what it should mail.

const OTHER_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
const NEW_EMAIL = 'ann.new@example.com'
const ALARM = 'messages wait for a key that this process lacks'

/** A service, and a worker on its database with another secret key. */
async function startBoth() {
  const service = await startService()
  const stale = await startService({ SECRET_KEY: OTHER_KEY }, { replicaOf: service })
  return {
    service,
    stale,
    async [Symbol.asyncDispose]() {
      await stale[Symbol.asyncDispose]()
      await service[Symbol.asyncDispose]()
    },
  }
}

const sentBy = ({ mailer, sms }: Service) => mailer.sent.length + sms.sent.length
const alarmsOf = ({ logged }: Service) => logged.filter((line) => line.includes(ALARM))
/** Reminders, due a day later, and notices need no key. */
const forget = ({ ctx }: Service, kind: 'reminder' | 'email_confirmed') =>
  ctx.transaction((tx) => tx.deleteFrom('outbox').where('kind', '=', kind).execute())
const outbox = ({ ctx }: Service) =>
  ctx.db
    .selectFrom('outbox')
    .select(['kind', 'state', 'last_error'])
    .where('state', '!=', 'sent')
    // A request for a link, which the worker answers with a row of its own.
    .where('kind', '!=', 'password_reset')
    .execute()

interface Case {
  readonly enqueue: (service: Service, ann: TestUser) => Promise<unknown>
  /** Uses what was mailed. */
  readonly use: (service: Service, ann: TestUser) => Promise<Answer>
}

const CASES: readonly (readonly [what: string, Case])[] = [
  [
    'the code of a sign-up',
    {
      async enqueue(service) {
        await service.signUp('bob@example.com')
        await forget(service, 'reminder')
      },
      use: async (service) =>
        service.post('/api/v1/auth/verify', {
          email: 'bob@example.com',
          code: await service.codeFor('bob@example.com'),
        }),
    },
  ],
  [
    'the code for a new address',
    {
      enqueue: (service, ann) => wantEmail(service, ann, NEW_EMAIL),
      use: (service, ann) =>
        confirmEmail(service, ann, emailCodesTo(service, NEW_EMAIL).at(-1) ?? ''),
    },
  ],
  [
    'the code for a phone number',
    {
      enqueue: (service, ann) => wantPhone(service, ann),
      use: (service, ann) => confirmPhone(service, ann, newestCode(service)),
    },
  ],
  [
    'the link that undoes a change of the address',
    {
      async enqueue(service, ann) {
        const code = await emailCodeFor(service, ann, NEW_EMAIL)
        await confirmEmail(service, ann, code)
        await forget(service, 'email_confirmed')
      },
      use: (service, ann) => undoEmail(service, undoTokenFor(service, ann.email)),
    },
  ],
  [
    'the link to set a new password',
    {
      enqueue: (service, ann) => service.post(FORGOT, { email: ann.email }),
      use: (service, ann) => reset(service, newestToken(service, ann.email)),
    },
  ],
]

describe('a worker without the key of a message', () => {
  for (const [what, { enqueue, use }] of CASES) {
    test(`leaves ${what} waiting; one with the key sends it a minute later, and it works`, async () => {
      await using both = await startBoth()
      const { service, stale } = both
      const ann = await service.addUser()
      await enqueue(service, ann)
      const before = sentBy(service)

      await stale.deliverMail()
      const waiting = await outbox(service)
      service.advance(MINUTE_MS)
      await service.deliverMail()

      assert.deepEqual(
        waiting.map(({ state, last_error }) => [state, last_error]),
        [['waiting', 'its key is missing in a worker']],
      )
      assert.equal(sentBy(service), before + 1)
      const answer = await use(service, ann)
      assert.ok(answer.status < 300, answer.text)
    })
  }

  test('tries again every minute and never gives it up, with one alarm a minute', async () => {
    await using both = await startBoth()
    const { service, stale } = both
    for (const name of ['ann', 'bob', 'eve']) await service.signUp(`${name}@example.com`)
    await forget(service, 'reminder')

    for (let second = 0; second < 10 * 60; second += 20) {
      await stale.deliverMail()
      service.advance(20 * SECOND_MS)
    }

    const states = (await outbox(service)).map(({ state }) => state)
    assert.deepEqual(states, ['waiting', 'waiting', 'waiting'])
    assert.equal(alarmsOf(stale).length, 10)
    const alarm = JSON.parse(alarmsOf(stale)[0] ?? '')
    assert.equal(alarm.missing_key_id, service.ctx.keys.current.id)
    assert.deepEqual(alarm.key_ids, [stale.ctx.keys.current.id])
    await service.deliverMail()
    assert.equal(service.mailer.sent.length, 3)
  })

  test('is seen by /ready as delayed mail', async () => {
    await using both = await startBoth()
    const { service, stale } = both
    await service.signUp('bob@example.com')
    await stale.deliverMail()
    service.advance(MINUTE_MS)
    await stale.deliverMail()

    assert.equal((await service.get('/ready')).body.checks.mail, 'delayed')
  })

  test('still sends what needs no key', async () => {
    await using both = await startBoth()
    const { service, stale } = both
    const ann = await service.addUser()
    const passwords = { current_password: PASSWORD, new_password: 'another battery for the horse' }
    await service.post('/api/v1/me/password', passwords, { token: ann.access })

    await stale.deliverMail()

    assert.equal(service.mailsTo(ann.email).length, 1)
  })

  for (const [index, lifetimeMs] of [
    DAY_MS,
    HOUR_MS,
    10 * MINUTE_MS,
    72 * HOUR_MS,
    DAY_MS,
  ].entries()) {
    const [what, { enqueue }] = CASES[index] ?? assert.fail()
    test(`drops ${what} once nobody can use it`, async () => {
      await using both = await startBoth()
      const { service, stale } = both
      await enqueue(service, await service.addUser())
      const before = sentBy(service)
      await stale.deliverMail()
      service.advance(lifetimeMs - MINUTE_MS)
      await stale.deliverMail()
      const waiting = await outbox(service)
      service.advance(MINUTE_MS)

      await stale.deliverMail()

      const states = (rows: typeof waiting) => rows.map(({ state }) => state)
      assert.ok(states(waiting).includes('waiting'), JSON.stringify(waiting))
      assert.ok(states(await outbox(service)).includes('dropped'))
      assert.equal(sentBy(service), before)
    })
  }

  test('mails a link of its own while one of the missing key lives', async () => {
    await using both = await startBoth()
    const { service, stale } = both
    const ann = await service.addUser()
    await tokenFor(service, ann.email)

    const token = await tokenFor(stale, ann.email)

    assert.equal((await reset(stale, token)).status, 200)
  })

  test('of an earlier version’s row, which names no key, mails a link with its own', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.post(FORGOT, { email: ann.email })
    await service.ctx.transaction(async (tx) => {
      const { id, payload } = await tx
        .selectFrom('outbox')
        .select(['id', 'payload'])
        .executeTakeFirstOrThrow()
      const { keyId, ...old } = JSON.parse(payload)
      assert.equal(keyId, service.ctx.keys.current.id)
      await tx
        .updateTable('outbox')
        .set({ payload: JSON.stringify(old) })
        .where('id', '=', id)
        .execute()
    })

    await service.deliverMail()

    assert.equal((await reset(service, newestToken(service, ann.email))).status, 200)
  })
})
