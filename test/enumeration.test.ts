import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, toIso } from '../server/lib/units.ts'
import { otherThan } from './support/codes.ts'
import { assertIndistinguishable, fingerprint } from './support/fingerprint.ts'
import { assertProblem } from './support/problem.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const LOGIN = '/api/v1/auth/login'

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

/** Says how many passwords the service has hashed since. */
function countHashes({ ctx }: Service): () => number {
  const { hasher } = ctx
  let count = 0
  const hash = (password: string) => {
    count++
    return hasher.hash(password)
  }
  Object.assign(ctx, { hasher: { ...hasher, hash } })
  return () => count
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
    const rows = await service.ctx.db
      .selectFrom('outbox')
      .select('email_canonical')
      .where('kind', '=', 'repeat_verification')
      .execute()
    const asked = rows.map((row) => String(row.email_canonical))
    assert.deepEqual(asked.toSorted(), Object.values(kinds).toSorted())
  })
})

describe('HIDE_REGISTERED_EMAILS=true', () => {
  const hide = { HIDE_REGISTERED_EMAILS: 'true' }
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
    const now = toIso(service.clock.nowMs)
    // A new account's reminder waits for a day.
    const due = service.ctx.db.selectFrom('outbox').select('id').where('due_at', '<=', now)
    const mails = async () => (await due.execute()).length
    const costs: Record<string, unknown> = {}

    for (const [name, email] of Object.entries(kinds)) {
      const before = { hashes: hashes(), mails: await mails() }
      await service.post(SIGN_UP, { email, password: PASSWORD })
      costs[name] = { hashes: hashes() - before.hashes, mails: (await mails()) - before.mails }
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
