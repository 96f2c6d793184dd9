import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deriveCode } from '../server/keys/codes.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { otherThan, triesOf } from './support/codes.ts'
import {
  CONFIRM as CONFIRM_EMAIL,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailCodesTo,
  wantEmail,
} from './support/email-changes.ts'
import { assertIndistinguishable } from './support/fingerprint.ts'
import {
  CONFIRM as CONFIRM_PHONE,
  confirmPhone,
  newestCode,
  pendingPhones,
  phoneCodeFor,
  wantPhone,
  OTHER_NUMBER,
} from './support/phones.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { atOnce, countStatuses, ROUNDS, startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, SETTINGS, type Service, startService } from './support/service.ts'

// Six digits by mail or text message: for a sign-up, a phone number, and a new address.

const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const EMAIL = 'ann@example.com'
const OTHER = 'bob@example.com'
const NEW_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'

/** Who asks for codes; `id` and `access` of somebody who is only about to sign up are none. */
interface Person {
  readonly id: number
  readonly email: string
  readonly access: string
}

interface Kind {
  readonly purpose: 'verify' | 'phone' | 'email'
  readonly lifetimeMs: number
  /** Somebody for whom no code is out. */
  start(service: Service, email: string): Promise<Person>
  /** The same person with a token of now. */
  signIn(service: Service, person: Person): Promise<Person>
  /** Asks for a code for the n-th number or address. */
  ask(service: Service, person: Person, n?: number): Promise<Answer>
  /** The same, and has it delivered. */
  codeFor(service: Service, person: Person, n?: number): Promise<string>
  confirm(service: Service, person: Person, code: unknown): Promise<Answer>
  /** What a code for the n-th is to prove, and what is proved. */
  wanted(person: Person, n?: number): string
  proved(service: Service, person: Person): Promise<string | null>
}

const start = (service: Service, email: string): Promise<Person> => service.addUser(email)
const signIn = async (service: Service, person: Person): Promise<Person> => ({
  ...person,
  ...(await service.logIn(person.email)),
})
const find = async ({ ctx }: Service, person: Person) =>
  ctx.db
    .selectFrom('users')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', person.id), eb('email_canonical', '=', person.email)]))
    .executeTakeFirst()

const SIGN_UP: Kind = {
  purpose: 'verify',
  lifetimeMs: DAY_MS,
  start: async (_, email) => ({ id: 0, email, access: '' }),
  signIn: async (_, person) => person,
  ask: (service, { email }) => service.post(RESEND, { email }),
  async codeFor(service, { email }) {
    await service.post(RESEND, { email })
    // From one network, so that its codes need no sign_up_id.
    await service.signUp(email, PASSWORD, undefined, { ip: '192.0.2.1' })
    return service.codeFor(email)
  },
  confirm: (service, { email }, code) => service.post(VERIFY, { email, code }),
  wanted: () => 'verified',
  proved: async (service, person) =>
    (await find(service, person))?.verified_at == null ? null : 'verified',
}
const PHONE: Kind = {
  purpose: 'phone',
  lifetimeMs: 10 * MINUTE_MS,
  start,
  signIn,
  ask: (service, person, n) => wantPhone(service, person, PHONE.wanted(person, n)),
  codeFor: (service, person, n) => phoneCodeFor(service, person, PHONE.wanted(person, n)),
  confirm: (service, { access: token }, code) => service.post(CONFIRM_PHONE, { code }, { token }),
  wanted: (_, n = 0) => `+49151234567${n}0`,
  proved: async (service, person) => (await find(service, person))?.phone ?? null,
}
const ADDRESS: Kind = {
  purpose: 'email',
  lifetimeMs: HOUR_MS,
  start,
  signIn,
  ask: (service, person, n) => wantEmail(service, person, ADDRESS.wanted(person, n)),
  codeFor: (service, person, n) => emailCodeFor(service, person, ADDRESS.wanted(person, n)),
  confirm: (service, { access: token }, code) => service.post(CONFIRM_EMAIL, { code }, { token }),
  wanted: ({ email }, n = 0) => `new${n}.${email}`,
  async proved(service, person) {
    const { email = null } = (await find(service, person)) ?? {}
    return email === person.email ? null : email
  },
}
const KINDS = [
  ['a sign-up', SIGN_UP],
  ['a phone number', PHONE],
  ['a new address', ADDRESS],
] as const

for (const [what, kind] of KINDS) {
  describe(`a code for ${what}`, () => {
    test('200 a second before its end, 400 invalid_code at its end', async () => {
      await using service = await startService()
      const [ann, bob] = [await kind.start(service, EMAIL), await kind.start(service, OTHER)]
      const codes = [await kind.codeFor(service, ann), await kind.codeFor(service, bob)]

      service.advance(kind.lifetimeMs - SECOND_MS)
      const [annNow, bobNow] = [await kind.signIn(service, ann), await kind.signIn(service, bob)]
      const before = await kind.confirm(service, annNow, codes[0])
      service.advance(SECOND_MS)
      const after = await kind.confirm(service, bobNow, codes[1])

      assert.equal(before.status, 200)
      assertProblem(after, 'invalid_code')
      assert.equal(await kind.proved(service, ann), kind.wanted(ann))
      assert.equal(await kind.proved(service, bob), null)
    })

    test('200 once: 400 invalid_code for one that was used', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)

      const answers = [
        await kind.confirm(service, ann, code),
        await kind.confirm(service, ann, code),
      ] as const

      assert.equal(answers[0].status, 200)
      assertProblem(answers[1], 'invalid_code')
    })

    test('400 invalid_code for another’s: counted for who sent it, of no use to the other', async () => {
      await using service = await startService()
      const [ann, bob] = [await kind.start(service, EMAIL), await kind.start(service, OTHER)]
      const code = await kind.codeFor(service, ann)
      await kind.codeFor(service, bob)

      const answer = await kind.confirm(service, bob, code)

      assertProblem(answer, 'invalid_code')
      assert.equal(await kind.proved(service, bob), null)
      assert.equal((await triesOf(service, OTHER))[kind.purpose], 1)
      assert.deepEqual(await triesOf(service, EMAIL), {})
      assert.equal((await kind.confirm(service, ann, code)).status, 200)
    })

    test('400 invalid_code, the same, when none waits, and it is counted', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)

      const answer = await kind.confirm(service, ann, '000000')

      assertProblem(answer, 'invalid_code')
      assert.deepEqual(await triesOf(service, EMAIL), { [kind.purpose]: 1 })
    })

    for (const [why, previous, status] of [
      ['200 while its key is still accepted', SETTINGS.SECRET_KEY, 200],
      ['400 once its key is gone', '', 400],
    ] as const) {
      test(`${why}, after the secret key was changed`, async () => {
        await using old = await startService()
        const ann = await kind.start(old, EMAIL)
        const code = await kind.codeFor(old, ann)
        const settings = { SECRET_KEY: NEW_KEY, SECRET_KEY_PREVIOUS: previous }
        await using service = await startService(settings, { replicaOf: old })

        const answer = await kind.confirm(service, await kind.signIn(service, ann), code)

        assert.equal(answer.status, status)
      })
    }

    test('422 for anything but six ASCII digits, and it is not counted', async (t) => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      await kind.codeFor(service, ann)
      for (const [why, code] of [
        ['a space before', ' 123456'],
        ['a space after', '123456 '],
        ['a line end after', '123456\n'],
        ['a space inside', '123 456'],
        ['full-width digits', '１２３４５６'],
        ['Arabic digits', '١٢٣٤٥٦'],
        ['a sign', '+12345'],
        ['an exponent', '1e5'],
        ['hex', '0x1234'],
        ['five digits', '12345'],
        ['seven digits', '1234567'],
        ['nothing', ''],
        ['a number', 123456],
        ['a list', ['123456']],
        ['null', null],
        ['no code', undefined],
      ] as const) {
        await t.test(`for ${why}`, async () => {
          assertInvalid(await kind.confirm(service, ann, code), '/code')
          assert.deepEqual(await triesOf(service, EMAIL), {})
        })
      }
    })

    test('200 exactly once for the right one 50 times at once over two replicas', async () => {
      await using replicas = await startReplicas()
      const [service] = replicas.pair
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)

      const answers = await atOnce(50, replicas.pair, (one) => kind.confirm(one, ann, code))

      assert.deepEqual(countStatuses(answers), { 200: 1, 400: 49 })
      assert.equal(await kind.proved(service, ann), kind.wanted(ann))
    })
  })

  describe(`the budget of wrong codes for ${what}`, () => {
    /** So many wrong ones; whether they were counted or not. */
    async function guess(service: Service, person: Person, times: number): Promise<void> {
      for (let n = 0; n < times; n++)
        assertProblem(await kind.confirm(service, person, '000000'), 'invalid_code')
    }

    test('400 for the right one after five wrong ones, though a new one was sent; 200 an hour later', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)
      for (let n = 1; n <= 5; n++)
        assertProblem(await kind.confirm(service, ann, otherThan(code, n)), 'invalid_code')

      const atOnce = await kind.confirm(service, ann, code)
      service.advance(MINUTE_MS)
      const withNewCode = await kind.confirm(service, ann, await kind.codeFor(service, ann))
      service.advance(59 * MINUTE_MS - 1)
      const later = await kind.signIn(service, ann)
      const newest = await kind.codeFor(service, later)
      const tooEarly = await kind.confirm(service, later, newest)
      service.advance(1)
      const anHourLater = await kind.confirm(service, later, newest)

      for (const answer of [atOnce, withNewCode, tooEarly]) assertProblem(answer, 'invalid_code')
      assert.equal(anHourLater.status, 200)
    })

    test('200 for the right one as the fifth try', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)
      await guess(service, ann, 4)

      assert.equal((await kind.confirm(service, ann, code)).status, 200)
    })

    test('one more try every hour: the second within an hour is refused', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      await guess(service, ann, 5)
      service.advance(HOUR_MS)
      const later = await kind.signIn(service, ann)
      const code = await kind.codeFor(service, later)
      await guess(service, later, 1)

      const second = await kind.confirm(service, later, code)

      assertProblem(second, 'invalid_code')
      assert.equal((await triesOf(service, EMAIL))[kind.purpose], 6)
    })

    test('400 for the right one after twenty wrong ones in 24 hours; 200 when the first are a day old', async () => {
      await using service = await startService()
      let ann = await kind.start(service, EMAIL)
      const startMs = service.clock.nowMs
      await guess(service, ann, 5)
      for (let n = 0; n < 15; n++) {
        service.advance(HOUR_MS)
        ann = await kind.signIn(service, ann)
        await guess(service, ann, 1)
      }

      service.advance(4 * HOUR_MS)
      ann = await kind.signIn(service, ann)
      const after19h = await kind.confirm(service, ann, await kind.codeFor(service, ann))
      service.advance(startMs + DAY_MS - 1 - service.clock.nowMs)
      ann = await kind.signIn(service, ann)
      const code = await kind.codeFor(service, ann)
      const tooEarly = await kind.confirm(service, ann, code)
      service.advance(1)
      const afterADay = await kind.confirm(service, ann, code)

      assertProblem(after19h, 'invalid_code')
      assertProblem(tooEarly, 'invalid_code')
      assert.equal(afterADay.status, 200)
    })

    test('is not lifted by RATE_LIMIT=off', async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)
      await guess(service, ann, 5)

      assertProblem(await kind.confirm(service, ann, code), 'invalid_code')
    })

    test('of 200 wrong ones at once over two replicas five are compared, then not even the right one', async () => {
      await using replicas = await startReplicas()
      const [service] = replicas.pair
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)

      const wrong = await atOnce(200, replicas.pair, (one, n) =>
        kind.confirm(one, ann, otherThan(code, n + 1)),
      )
      const right = await atOnce(50, replicas.pair, (one) => kind.confirm(one, ann, code))

      assert.deepEqual(countStatuses(wrong), { 400: 200 })
      assert.deepEqual(countStatuses(right), { 400: 50 })
      assert.equal((await triesOf(service, EMAIL))[kind.purpose], 5)
      service.advance(HOUR_MS)
      const later = await kind.signIn(service, ann)
      const newest = await kind.codeFor(service, later)
      const anHourLater = await atOnce(50, replicas.pair, (one) => kind.confirm(one, later, newest))
      assert.deepEqual(countStatuses(anHourLater), { 200: 1, 400: 49 })
    })
  })
}

for (const [what, kind] of [KINDS[1], KINDS[2]]) {
  describe(`${what} that waits for its code`, () => {
    test('400 invalid_code for the code of the one before: only the newest works', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      const code = await kind.codeFor(service, ann)
      service.advance(MINUTE_MS)
      const newest = await kind.codeFor(service, ann, 1)

      const old = await kind.confirm(service, ann, code)
      const replaced = await kind.confirm(service, ann, newest)

      assertProblem(old, 'invalid_code')
      assert.equal(replaced.status, 200)
      assert.equal(await kind.proved(service, ann), kind.wanted(ann, 1))
    })

    test('against another asking at once: its own number or address is proved or none, never the other', async () => {
      await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
      const [first, second] = replicas.pair

      for (const n of times(ROUNDS)) {
        const racer = await kind.start(first, `racer${n}@example.com`)
        const code = await kind.codeFor(first, racer)
        const [confirmed] = await Promise.all([
          kind.confirm(first, racer, code),
          kind.ask(second, racer, 1),
        ])

        assert.ok([200, 400].includes(confirmed.status), confirmed.text)
        const proved = confirmed.status === 200 ? kind.wanted(racer) : null
        assert.equal(await kind.proved(first, racer), proved)
        // The other's message is not the next racer's.
        await first.deliverMail()
      }
    })

    test('gives no guesses back once it is proved, but the one that was right', async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const ann = await kind.start(service, EMAIL)
      for (let n = 0; n < 4; n++) await kind.confirm(service, ann, '000000')
      const own = await kind.confirm(service, ann, await kind.codeFor(service, ann))

      assert.equal(own.status, 200)
      assert.deepEqual(await triesOf(service, own.body.email), { [kind.purpose]: 4 })
    })
  })
}

test('400 for the right code to a second number, once four guesses at the first were wrong and one at this', async () => {
  await using service = await startService({ RATE_LIMIT: 'off' })
  const ann = await service.addUser(EMAIL)
  const code = await phoneCodeFor(service, ann)
  for (let n = 0; n < 4; n++) await confirmPhone(service, ann, '000000')
  const own = await confirmPhone(service, ann, code)
  const second = await phoneCodeFor(service, ann, OTHER_NUMBER)
  await confirmPhone(service, ann, '000000')

  const another = await confirmPhone(service, ann, second)

  assert.equal(own.status, 200)
  assertProblem(another, 'invalid_code')
})

describe('codes of several purposes', () => {
  test('400 for one of another purpose, at each of the three places (VER-10)', async () => {
    await using service = await startService()
    const ann = await service.addUser(EMAIL)
    await service.signUp('eve@example.com')
    const byPhone = await phoneCodeFor(service, ann)
    const byMail = await emailCodeFor(service, ann, 'new@example.com')
    const toVerify = await service.codeFor('eve@example.com')
    const verify = (email: string, code: string) => service.post(VERIFY, { email, code })

    for (const answer of [
      await confirmPhone(service, ann, byMail),
      await confirmPhone(service, ann, toVerify),
      await confirmEmail(service, ann, byPhone),
      await confirmEmail(service, ann, toVerify),
      await verify('eve@example.com', byPhone),
      await verify('eve@example.com', byMail),
      await verify(EMAIL, byPhone),
      await verify('new@example.com', byMail),
    ])
      assertProblem(answer, 'invalid_code')
    const key = service.ctx.keys.current.of.code
    const [[phone], [email]] = [await pendingPhones(service), await emailChanges(service)]
    assert.equal(byPhone, deriveCode(key, 'phone', phone?.id ?? ''))
    assert.equal(byMail, deriveCode(key, 'email', email?.id ?? ''))
  })

  test('have a budget each: using one up leaves the others', async () => {
    await using service = await startService()
    const ann = await service.addUser(EMAIL)
    const [byPhone, byMail] = [
      await PHONE.codeFor(service, ann),
      await ADDRESS.codeFor(service, ann),
    ]
    for (let n = 0; n < 6; n++) await SIGN_UP.confirm(service, ann, '000000')

    const phone = await confirmPhone(service, ann, byPhone)
    for (let n = 0; n < 6; n++) await confirmPhone(service, ann, '000000')
    const tries = await triesOf(service, EMAIL)
    const email = await confirmEmail(service, ann, byMail)

    assert.deepEqual([phone.status, email.status], [200, 200])
    assert.deepEqual(tries, { verify: 5, phone: 5 })
  })
})

describe('the budget of wrong codes of an address', () => {
  const verify = (service: Service, code: string, email = EMAIL) =>
    service.post(VERIFY, { email, code })

  test('is at most twenty tries in any 24 hours, however often the code is mailed again', async () => {
    await using service = await startService()
    await service.signUp(EMAIL)
    const right = await service.codeFor(EMAIL)
    const counted = new Set<number>()
    let total = 0
    for (let hour = 0; hour < 46; hour++) {
      await service.post(RESEND, { email: EMAIL })
      await service.deliverMail()
      // Each try at a millisecond of its own, so that each can be told apart.
      for (let n = 0; n < 2; n++) {
        await verify(service, otherThan(right))
        service.advance(1)
      }
      const [row] = await rowsOf(service.ctx, 'code_failures')
      for (const time of JSON.parse(row.times)) counted.add(Date.parse(time))
      service.advance(HOUR_MS - 2)
    }

    const times = [...counted].sort((a, b) => a - b)
    for (const start of times) {
      const within = times.filter((time) => time >= start && time < start + DAY_MS)
      assert.ok(within.length <= 20)
      total = Math.max(total, within.length)
    }
    assert.equal(total, 20)
    assert.equal(await service.codeFor(EMAIL), right)
  })

  test('outlives the account: signing up afresh gives no new tries', async () => {
    await using service = await startService({
      UNVERIFIED_USER_TTL_HOURS: '1',
      VERIFICATION_CODE_EXPIRE_HOURS: '1',
    })
    await service.signUp(EMAIL)
    service.advance(HOUR_MS - 1)
    for (let n = 0; n < 5; n++) await verify(service, '000000')
    service.advance(1)
    await service.signUp(EMAIL)

    assertProblem(await verify(service, await service.codeFor(EMAIL)), 'invalid_code')
  })

  test('is cleared by a sign-up’s right code, but for the count of phone codes', async () => {
    await using service = await startService()
    await service.signUp(EMAIL)
    const count = {
      email_canonical: EMAIL,
      purpose: 'phone' as const,
      times: '["2026-01-01T11:59:00.000Z"]',
    }
    await service.ctx.transaction((tx) => tx.insertInto('code_failures').values(count).execute())
    for (let n = 0; n < 3; n++) await verify(service, '000000')

    await verify(service, await service.codeFor(EMAIL))

    assert.deepEqual(await triesOf(service, EMAIL), { phone: 1 })
  })

  test('is one for all its spellings, and an unknown address has one as well', async () => {
    await using service = await startService()
    for (const typed of ['Bob@example.com', 'bob@EXAMPLE.com', 'BOB@example.com'])
      await verify(service, '000000', typed)

    assert.deepEqual(await triesOf(service, OTHER), { verify: 3 })
    assert.deepEqual(await triesOf(service, EMAIL), {})
  })
})

interface Asking extends Kind {
  /** How many such messages were sent. */
  sent(service: Service): number
  codeTo(service: Service, person: Person, n: number): string
}

for (const [what, { start, signIn, ask, sent, codeTo, confirm }] of [
  [
    'mails with a sign-up’s code once more',
    {
      ...SIGN_UP,
      async start(service, email) {
        await service.signUp(email)
        await service.deliverMail()
        return { id: 0, email, access: '' }
      },
      sent: ({ mailer }) => mailer.sent.filter(({ text }) => /code is [0-9]{6}/.test(text)).length,
      codeTo: (service, { email }) =>
        /\b[0-9]{6}\b/.exec(service.mailsTo(email).at(-1)?.text ?? '')?.[0] ?? '',
    },
  ],
  [
    'text messages with a code',
    {
      ...PHONE,
      sent: ({ texts }) => texts.length,
      codeTo: (service, person, n) => newestCode(service, PHONE.wanted(person, n)),
    },
  ],
  [
    'mails with a code for a new address',
    {
      ...ADDRESS,
      sent: ({ mailer }) =>
        mailer.sent.filter(({ subject }) => subject.startsWith('Confirm the new address')).length,
      codeTo: (service, person, n) => emailCodesTo(service, ADDRESS.wanted(person, n)).at(-1) ?? '',
    },
  ],
] satisfies [string, Asking][]) {
  describe(what, () => {
    /** Asks and delivers; how many messages that sent. */
    async function sends(service: Service, person: Person, n = 0): Promise<number> {
      const before = sent(service)
      const answer = await ask(service, person, n)
      assert.equal(answer.status, 202, answer.text)
      await service.deliverMail()
      return sent(service) - before
    }

    test('go 60 s apart; in between the answer is the same and the code before still works', async () => {
      await using service = await startService()
      const [ann, bob] = [await start(service, EMAIL), await start(service, OTHER)]
      const first = await ask(service, ann, 0)
      await service.deliverMail()
      await sends(service, bob, 2)
      const code = codeTo(service, bob, 2)

      service.advance(MINUTE_MS - 1)
      const tooSoon = await ask(service, ann, 1)
      const [annsToo, bobs] = [await sends(service, ann, 1), await sends(service, bob, 3)]
      const confirmed = await confirm(service, bob, code)
      service.advance(1)
      const inTime = await sends(service, ann, 1)

      assertIndistinguishable({ first, tooSoon })
      assert.deepEqual([annsToo, bobs, inTime], [0, 0, 1])
      assert.equal(confirmed.status, 200, confirmed.text)
    })

    test('are five an hour for each who asks, of ten asked for quickly or slowly', async () => {
      await using service = await startService()
      const [ann, bob] = [await start(service, EMAIL), await start(service, OTHER)]
      const sentTo: number[] = []
      for (let n = 0; n < 10; n++) {
        sentTo.push(await sends(service, ann, n))
        service.advance(MINUTE_MS)
      }

      const bobs = await sends(service, bob, 10)
      service.advance(50 * MINUTE_MS - 1)
      const later = await signIn(service, ann)
      const tooEarly = await sends(service, later)
      service.advance(1)
      const anHourAfterTheFirst = await sends(service, later)

      assert.deepEqual(sentTo, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
      assert.deepEqual([bobs, tooEarly, anHourAfterTheFirst], [1, 0, 1])
    })

    test('asked for twenty times at once over two replicas go once', async () => {
      await using replicas = await startReplicas()
      const [first, second] = replicas.pair
      const ann = await start(first, EMAIL)
      const before = sent(first)

      const answers = await atOnce(20, replicas.pair, (service, n) => ask(service, ann, n))
      await Promise.all([first.deliverMail(), second.deliverMail()])

      assert.deepEqual(countStatuses(answers), { 202: 20 })
      assert.equal(sent(first) - before, 1)
    })

    test('go as often as they are asked for with RATE_LIMIT=off', async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const ann = await start(service, EMAIL)

      for (let n = 0; n < 8; n++) assert.equal(await sends(service, ann), 1)
    })
  })
}

for (const [what, kind, sentTo] of [
  ['a text message', PHONE, ({ texts }: Service) => texts.map(({ to }) => to)],
  [
    'a mail',
    ADDRESS,
    ({ mailer }: Service) =>
      mailer.sent
        .filter(({ subject }) => subject.startsWith('Confirm the new address'))
        .map(({ to }) => to),
  ],
] as const) {
  describe(`${what} with a code that waits`, () => {
    test('is not sent once another number or address took the place of its own', async () => {
      await using service = await startService()
      const ann = await kind.start(service, EMAIL)
      await kind.ask(service, ann)
      service.advance(MINUTE_MS)
      await kind.ask(service, ann, 1)

      await service.deliverMail()

      assert.deepEqual(sentTo(service), [kind.wanted(ann, 1)])
    })

    for (const [why, lateMs, sent] of [
      ['is sent until a second before the end of its code', kind.lifetimeMs - SECOND_MS, 1],
      ['is not sent any more at the end of its code', kind.lifetimeMs, 0],
    ] as const) {
      test(why, async () => {
        await using service = await startService()
        const ann = await kind.start(service, EMAIL)
        await kind.ask(service, ann)
        service.advance(lateMs)

        await service.deliverMail()

        assert.equal(sentTo(service).length, sent)
      })
    }

    test('waits while the key of its code is missing, which is logged', async () => {
      await using old = await startService()
      const ann = await kind.start(old, EMAIL)
      await kind.ask(old, ann)
      await using service = await startService({ SECRET_KEY: NEW_KEY }, { replicaOf: old })

      await service.deliverMail()

      assert.deepEqual(sentTo(service), [])
      assert.ok(service.logged.some((line) => line.includes('SECRET_KEY_PREVIOUS was removed')))
    })
  })
}
