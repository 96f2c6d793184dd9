import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runDueJobs } from '../server/schedule/schedule.ts'
import { DAY_MS, HOUR_MS, toIso } from '../server/lib/units.ts'
import { RECURRING_JOBS } from '../server/accounts/recurring-jobs.ts'
import { otherThan } from './support/codes.ts'
import { changeEmail } from './support/email-changes.ts'
import { assertIndistinguishable, fingerprint } from './support/fingerprint.ts'
import { countHashes } from './support/hashes.ts'
import { assertProblem } from './support/problem.ts'
import { times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const LOGIN = '/api/v1/auth/login'

const hide = { HIDE_REGISTERED_EMAILS: 'true' }
const NEW = 'new@example.com'
const REGISTERED = 'registered@example.com'

/** One account of each kind, all addresses equally long, so that an echo would show in the bytes only. */
const kinds = {
  unknown: 'unknown0@example.com',
  verified: 'verified@example.com',
  pending: 'pending0@example.com',
  disabled: 'disabled@example.com',
  expired: 'expired0@example.com',
} as const
type Kind = keyof typeof kinds

async function startWithAllKinds(settings: Record<string, string> = {}): Promise<Service> {
  const service = await startService(settings)
  await service.signUp(kinds.expired)
  service.advance(2 * DAY_MS)
  const admin = await service.addAdmin()
  await service.registerUser(kinds.verified)
  const { id } = await service.registerUser(kinds.disabled)
  await service.patch(`/api/v1/users/${id}`, { disabled: true }, { token: admin.access })
  await service.signUp(kinds.pending)
  await service.deliverMail()
  return service
}

/** The same request for each kind of account. */
async function ask(
  send: (email: string) => Promise<Answer>,
  names = Object.keys(kinds) as Kind[],
): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {}
  for (const name of names) answers[name] = await send(kinds[name])
  return answers
}

describe('login tells nothing about an address to who does not know its password', () => {
  test('401, byte for byte the same', async () => {
    await using service = await startWithAllKinds()

    const answers = await ask((email) => service.post(LOGIN, { email, password: 'not it, sorry' }))

    assertIndistinguishable(answers)
    assertProblem(answers['unknown']!, 'invalid_credentials')
  })

  test('401 after each of ten tries', async () => {
    await using service = await startWithAllKinds()
    for (let n = 0; n < 10; n++) {
      const answers = await ask((email) => service.post(LOGIN, { email, password: `wrong ${n}` }))
      assertIndistinguishable(answers)
    }
  })

  for (const [why, spell] of [
    ['in upper case', (email: string) => email.toUpperCase()],
    ['with outer spaces', (email: string) => ` ${email} `],
    ['with a trailing dot', (email: string) => `${email}.`],
  ] as const) {
    test(`the same answer to an address ${why}, and it is echoed in no form`, async () => {
      await using service = await startWithAllKinds()

      const answers = await ask((email) =>
        service.post(LOGIN, { email: spell(email), password: 'not it, sorry' }),
      )

      assertIndistinguishable(answers)
      assert.ok(!answers['verified']!.text.toLowerCase().includes('verified@'))
    })
  }
})

describe('verify tells nothing about an address', () => {
  test('400 for a wrong code, byte for byte the same, within the budget and beyond', async () => {
    await using service = await startWithAllKinds()
    const wrong = otherThan(await service.codeFor(kinds.pending))
    for (let n = 0; n < 8; n++) {
      const answers = await ask((email) => service.post(VERIFY, { email, code: wrong }))
      assertIndistinguishable(answers)
      assertProblem(answers['unknown']!, 'invalid_code')
    }
  })

  test('400 is the same for unknown, wrong, expired, used, over budget and another’s attempt', async () => {
    await using service = await startService()
    const [ann, bob, eve] = ['ann@example.com', 'bob@example.com', 'eve@example.com'] as const
    await service.signUp(ann)
    const annsCode = await service.codeFor(ann)
    service.advance(DAY_MS)
    const expired = await service.post(VERIFY, { email: ann, code: annsCode })
    await service.signUp(bob)
    const code = await service.codeFor(bob)
    const sign_up_id = await service.signUp(eve)
    const others = await service.post(VERIFY, { email: bob, code, sign_up_id })
    await service.post(VERIFY, { email: bob, code })
    const used = await service.post(VERIFY, { email: bob, code })
    const evesCode = await service.codeFor(eve)
    const wrong = await service.post(VERIFY, { email: eve, code: otherThan(evesCode) })
    for (let n = 0; n < 4; n++)
      await service.post(VERIFY, { email: eve, code: otherThan(evesCode) })
    const overBudget = await service.post(VERIFY, { email: eve, code: evesCode })
    const unknown = await service.post(VERIFY, { email: 'x@example.com', code })

    assertIndistinguishable({ expired, others, used, wrong, overBudget, unknown })
    assertProblem(unknown, 'invalid_code')
  })
})

describe('resend tells nothing about an address', () => {
  test('202, byte for byte the same, also when it sends nothing any more', async () => {
    await using service = await startWithAllKinds()
    for (let n = 0; n < 7; n++) {
      const answers = await ask((email) => service.post(RESEND, { email }))
      assertIndistinguishable(answers)
      assert.equal(answers['unknown']?.status, 202)
    }
  })

  test('422 for an extra parameter, byte for byte the same', async () => {
    await using service = await startWithAllKinds()

    const answers = await ask((email) => service.post(RESEND, { email, x: 1 }))

    assertIndistinguishable(answers)
  })

  test('mails nothing itself: known and unknown cost one row each', async () => {
    await using service = await startWithAllKinds()
    const mailed = service.mailer.sent.length

    await ask((email) => service.post(RESEND, { email }))

    assert.equal(service.mailer.sent.length, mailed)
    const rows = (await rowsOf(service.ctx, 'outbox')).filter(
      ({ kind }) => kind === 'repeat_verification',
    )
    const asked = rows.map((row) => String(row.email_canonical))
    assert.deepEqual(asked.toSorted(), Object.values(kinds).toSorted())
  })
})

describe('HIDE_REGISTERED_EMAILS=true', () => {
  /** A sign-up's answer without the attempt's id and the address that the caller sent. */
  const masked = (answer: Answer) =>
    fingerprint(answer)
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '<sign-up>')
      .replace(/[a-z0-9]+@example\.com/, '<email>')

  test('sign-up: 201, the same for every address, five times; then 429, the same', async () => {
    await using service = await startWithAllKinds(hide)
    for (let n = 1; n <= 7; n++) {
      // These were signed up today: one of their five is used.
      const used = n === 1 ? ['pending', 'verified', 'disabled'] : []
      const names = (Object.keys(kinds) as Kind[]).filter((name) => !used.includes(name))
      const answers = await ask(
        (email) => service.post(SIGN_UP, { email, password: PASSWORD }),
        names,
      )
      const seen = new Set(Object.values(answers).map(masked))

      assert.equal(seen.size, 1, [...seen].join('\n'))
      assert.equal(answers['unknown']?.status, n <= 5 ? 201 : 429)
      if (n <= 5) assert.match(answers['unknown'].body.sign_up_id, /^[0-9a-f-]{36}$/)
    }
  })

  test('sign-up costs the same for every address: one hash and one mail to write', async () => {
    await using service = await startWithAllKinds(hide)
    const hashes = countHashes(service)
    // A new account's reminder waits for a day.
    const mails = async () => {
      const rows = await rowsOf(service.ctx, 'outbox')
      return rows.filter((row) => row.due_at <= toIso(service.clock.nowMs)).length
    }
    const costs: Record<string, unknown> = {}

    for (const [name, email] of Object.entries(kinds)) {
      const before = { hashes: hashes.made, mails: await mails() }
      await service.post(SIGN_UP, { email, password: PASSWORD })
      costs[name] = { hashes: hashes.made - before.hashes, mails: (await mails()) - before.mails }
    }

    for (const cost of Object.values(costs)) assert.deepEqual(cost, { hashes: 1, mails: 1 })
  })

  test('the owner is told, at most five times a day, and keeps password and name', async () => {
    await using service = await startService(hide)
    await service.addUser('ann@example.com', PASSWORD, 'Ann')
    service.advance(DAY_MS)
    const attempt = { email: 'ANN@example.com', password: 'quite another password' }
    for (let n = 0; n < 8; n++) await service.post(SIGN_UP, attempt)
    await service.deliverMail()

    const told = service
      .mailsTo('ann@example.com')
      .filter((mail) => mail.subject === 'You already have a Coffee Shop account')

    assert.equal(told.length, 5)
    assert.ok(told.every((mail) => !/[0-9]{6}/.test(mail.text)))
    assertProblem(await service.post(LOGIN, attempt), 'invalid_credentials')
    const { access } = await service.logIn('ann@example.com')
    assert.equal((await service.get('/api/v1/me', { token: access })).body.full_name, 'Ann')
    service.advance(DAY_MS)
    assert.equal((await service.post(SIGN_UP, attempt)).status, 201)
  })

  test('the attempt that a registered address is told of can be neither verified nor mailed', async () => {
    await using service = await startService(hide)
    await service.addUser('ann@example.com')
    const sign_up_id = await service.signUp('ann@example.com', 'quite another password')
    await service.deliverMail()
    const mailed = service.mailer.sent.length

    const resent = await service.post(RESEND, { email: 'ann@example.com', sign_up_id })
    await service.deliverMail()
    const body = { email: 'ann@example.com', code: '123456', sign_up_id }

    assert.equal(resent.status, 202)
    assert.equal(service.mailer.sent.length, mailed)
    assertProblem(await service.post(VERIFY, body), 'invalid_code')
  })

  test('login with the right password of an unverified address: 401, as for an unknown one', async () => {
    await using service = await startWithAllKinds(hide)

    const answers = await ask(
      (email) => service.post(LOGIN, { email, password: PASSWORD }),
      ['unknown', 'pending', 'expired'],
    )

    assertIndistinguishable(answers)
    assertProblem(answers['pending']!, 'invalid_credentials')
  })

  test('without it: 409 email_taken for a registered address and no mail to its owner', async () => {
    await using service = await startWithAllKinds({ HIDE_REGISTERED_EMAILS: 'false' })
    const mailed = service.mailer.sent.length

    const answers = await ask((email) => service.post(SIGN_UP, { email, password: PASSWORD }))
    await service.deliverMail()

    const statuses = Object.entries(answers).map(([name, answer]) => [name, answer.status])
    assert.deepEqual(Object.fromEntries(statuses), {
      unknown: 201,
      verified: 409,
      pending: 201,
      disabled: 409,
      expired: 201,
    })
    assert.equal(service.mailer.sent.length, mailed + 3)
    service.advance(HOUR_MS)
    assertProblem(
      await service.post(SIGN_UP, { email: kinds.verified, password: PASSWORD }),
      'email_taken',
    )
  })
})

/** How many sign-ups, how many hours pass, or what else happens. */
type Step =
  | number
  | `${number} h`
  | 'resend'
  | 'owner'
  | 'clean-up'
  | 'own deletion'
  | 'deletion by an admin'

/** Signs the address up as often as it says; the statuses are what a stranger sees. */
async function signUpOften(service: Service, email: string, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (const _ of times(count)) {
    const { status } = await service.post(SIGN_UP, { email, password: PASSWORD })
    statuses.push(status)
  }
  return statuses
}

/** The mailbox's owner signs up, and verifies where that is possible. */
async function answerAsOwner(service: Service, email: string): Promise<void> {
  const sign_up_id = await service.signUp(email)
  if (email !== NEW) return
  const body = { email, code: await service.codeFor(email), sign_up_id }
  assert.equal((await service.post(VERIFY, body)).status, 200)
}

/** The registered account goes, as it does when nobody else is to notice. */
async function remove(service: Service, as: 'own deletion' | 'deletion by an admin') {
  const { access } = await service.logIn(REGISTERED)
  const { id } = (await service.get('/api/v1/me', { token: access })).body
  const body = { current_password: PASSWORD }
  const answer =
    as === 'own deletion'
      ? await service.delete('/api/v1/me', { token: access, body })
      : await service.delete(`/api/v1/users/${id}`, { token: (await service.addAdmin()).access })
  assert.ok(answer.status < 300, answer.text)
}

describe('HIDE_REGISTERED_EMAILS=true: who signs up again and again cannot tell', () => {
  const histories: readonly (readonly [how: string, steps: readonly Step[]])[] = [
    ['by six at once and one a day later', [6, '24 h', 1]],
    ['by a resend before the day is over', [5, '1 h', 'resend', '23 h', 1]],
    ['by five before the end of the account and one after it', [1, '47 h', 5, '1 h', '1 h', 1]],
    [
      'by five before the clean-up and one after it',
      [1, '23 h', '23 h', 5, '14 h', 'clean-up', 1, '24 h', 1],
    ],
    ['when the owner verifies in between', [4, 'owner', 1, 1, '24 h', 1]],
    ['when its owner deletes the account', [5, '1 h', 'own deletion', 1, '23 h', 1]],
    ['when an admin deletes the account', [5, '1 h', 'deletion by an admin', 1, '23 h', 1]],
  ]
  for (const [how, steps] of histories) {
    test(`a registered address from a new one ${how}`, async () => {
      await using service = await startService(hide)
      await service.registerUser(REGISTERED)
      service.advance(2 * DAY_MS)
      const seen: Record<string, number[]> = { [NEW]: [], [REGISTERED]: [] }

      for (const step of steps) {
        const [, hours = 0] = /^(\d+) h$/.exec(String(step)) ?? []
        service.advance(Number(hours) * HOUR_MS)
        if (step === 'own deletion' || step === 'deletion by an admin') await remove(service, step)
        if (step === 'clean-up') await runDueJobs(service.ctx, RECURRING_JOBS)
        for (const [email, statuses] of Object.entries(seen)) {
          if (step === 'resend') await service.post(RESEND, { email })
          if (step === 'owner') await answerAsOwner(service, email)
          if (typeof step === 'number') statuses.push(...(await signUpOften(service, email, step)))
        }
        await service.deliverMail()
      }

      assert.deepEqual(seen[NEW], seen[REGISTERED])
      assert.ok(seen[NEW]?.includes(201))
    })
  }
})

test('every answer comes 100 ms after its hash, or a multiple of that, whatever the address has been', async () => {
  await using service = await startService(hide)
  const moved = await service.registerUser('moved@example.com')
  await changeEmail(service, moved, REGISTERED)
  service.advance(DAY_MS)
  const { hasher } = service.ctx
  const { hash } = hasher
  let hashedAtMs = Number.NaN
  hasher.hash = async (...args) => {
    const made = await hash(...args)
    hashedAtMs = performance.now()
    return made
  }

  for (const [email, count] of [
    [REGISTERED, 6],
    [moved.email, 1],
    [NEW, 6],
  ] as const) {
    for (let n = 1; n <= count; n++) {
      const [status] = await signUpOften(service, email, 1)
      const tookMs = performance.now() - hashedAtMs

      assert.equal(status, n <= 5 ? 201 : 429)
      // Timers count in whole milliseconds, and may be early by one.
      assert.ok(tookMs > 98, `${email}: ${tookMs} ms`)
    }
  }
})

test('an address of an account that was cleaned up is kept for as long as it counts, and without the rest', async () => {
  await using service = await startService(hide)
  const seen = async () => {
    await runDueJobs(service.ctx, RECURRING_JOBS)
    const rows = await rowsOf(service.ctx, 'outbox')
    return rows.filter((row) => JSON.stringify(row).includes(NEW))
  }
  await service.signUp(NEW)
  service.advance(46 * HOUR_MS)
  await signUpOften(service, NEW, 2)
  await service.deliverMail()

  service.advance(14 * HOUR_MS)
  const cleanedUp = await seen()
  service.advance(11 * HOUR_MS)
  const dayLater = await seen()

  const kept = ['verification', null, null, '{}']
  assert.equal((await rowsOf(service.ctx, 'users')).length, 0)
  assert.deepEqual(
    cleanedUp.map((row) => [row.kind, row.recipient, row.user_id, row.payload]),
    [kept, kept],
  )
  assert.deepEqual(dayLater, [])
})
