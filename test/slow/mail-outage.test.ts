import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { codeIn, type DatabaseKind, type Shop, startShop, within } from '../support/mail-outage.ts'
import type { Script, ScriptedSmtpServer, SmtpOptions } from '../support/smtp-server.ts'

// What the mail server does to a service that runs as a process of its own, in real time.

const HEAL_MAX_MS = MINUTE_MS
const SIGN_UPS = 24
const OUTAGE_MS = 8 * SECOND_MS

/** Sign-ups, spread over the time that an outage takes. */
async function signUpDuring(shop: Shop, ms: number): Promise<void> {
  for (let n = 0; n < SIGN_UPS; n++) {
    await shop.signUp(`user${n}@example.com`)
    await delay(ms / SIGN_UPS)
  }
  assert.ok(shop.acknowledged.size > SIGN_UPS / 2)
}
const sentTo = ({ smtp }: Shop, email: string) => smtp.mailsTo(email).length > 0
const allSent = (shop: Shop) => [...shop.acknowledged.keys()].every((email) => sentTo(shop, email))

/** At most two copies of each mail, with one Message-ID and one code that works. */
async function assertCopies(shop: Shop): Promise<void> {
  for (const [email, signUpId] of shop.acknowledged) {
    const copies = shop.smtp.mailsTo(email)
    assert.ok(copies.length >= 1 && copies.length <= 2, `${copies.length} copies to ${email}`)
    assert.equal(new Set(copies.map(({ messageId }) => messageId)).size, 1)
    const codes = new Set(copies.map(codeIn))
    assert.equal(codes.size, 1)
    const [code] = codes
    const verified = await shop.post('/api/v1/auth/verify', { email, code, sign_up_id: signUpId })
    assert.equal(verified.status, 200, JSON.stringify(verified.body))
  }
}

/** Neither code nor password is in what was logged or in a table. */
async function assertNothingLeaked(shop: Shop): Promise<void> {
  const places = [shop.lines.join('\n'), await shop.dump()]
  const codes = shop.smtp.received.map(codeIn)
  assert.ok(codes.length > SIGN_UPS / 2)
  for (const place of places) {
    assert.ok(place.length > 1000)
    assert.ok(!place.includes(shop.login.password))
    const numbers = new Set(place.match(/\b\d{6}\b/g))
    assert.deepEqual(
      codes.filter((code) => numbers.has(code)),
      [],
    )
  }
}

test('a sign-up takes as long while mail cannot be sent as with console mail', async () => {
  await using shop = await startShop('sqlite')
  await using usual = await startShop('sqlite', { MAIL_URL: 'console:' })
  const took = { usual: [] as number[], down: [] as number[], hanging: [] as number[] }
  for (let n = 0; n < 20; n++) await Promise.all([shop, usual].map((s) => s.signUp(`w${n}@ex.com`)))

  for (const phase of ['down', 'hanging'] as const) {
    if (phase === 'down') await shop.smtp.goDown()
    else shop.smtp.behave({ connect: 'hang' })
    if (phase === 'hanging') await shop.smtp.comeUp()
    for (let n = 0; n < 100; n++) {
      took[phase].push(await shop.signUp(`${phase}${n}@example.com`))
      took.usual.push(await usual.signUp(`${phase}${n}@example.com`))
    }
  }

  const at = (part: number, values: number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(part * values.length)] ?? Number.NaN
  for (const phase of ['down', 'hanging'] as const) {
    for (const [part, ratioMax] of [
      [0.5, 2],
      [0.9, 3],
    ] as const) {
      const [ms, usualMs] = [at(part, took[phase]), at(part, took.usual)]
      // Two milliseconds are the noise of a busy machine.
      assert.ok(ms <= ratioMax * usualMs + 2, `${phase}: ${ms} ms, usually ${usualMs} ms`)
    }
  }
})

describe('a mail server that fails for everybody', { concurrency: 5 }, () => {
  type Faulty = (smtp: ScriptedSmtpServer) => void | Promise<void>
  const behaving =
    (script: Script): Faulty =>
    (smtp) =>
      smtp.behave(script)
  const down: Faulty = (smtp) => smtp.goDown()
  const upWith =
    (options?: SmtpOptions): Faulty =>
    async (smtp) => {
      await smtp.goDown()
      await smtp.comeUp(options)
    }
  const ended = (smtp: ScriptedSmtpServer) => smtp.behave({})
  const hanging = behaving({ data: 'hang' })
  for (const [kind, why, begin, end, outageMs = OUTAGE_MS] of [
    ['sqlite', 'is down', down, upWith()],
    ['postgres', 'is down', down, upWith()],
    ['sqlite', 'takes connections and says nothing', behaving({ connect: 'hang' }), ended],
    ['sqlite', 'is too busy', behaving({ connect: '421 4.3.2 too busy' }), ended],
    ['sqlite', 'refuses our sender', behaving({ mailFrom: '550 5.7.1 not yours' }), ended],
    ['sqlite', 'hangs after the message', hanging, ended],
    ['postgres', 'hangs after the message', hanging, ended],
    ['postgres', 'hangs after the message for long', hanging, ended, 100 * SECOND_MS],
    ['sqlite', 'closes before its 250', behaving({ data: 'drop' }), ended],
    ['sqlite', 'has lost its STARTTLS', upWith({ tls: 'none' }), upWith()],
    ['sqlite', 'has a bad certificate', upWith({ badCertificate: true }), upWith()],
  ] as [DatabaseKind, string, Faulty, Faulty, number?][]) {
    test(`${why}: all is mailed within a minute of recovery (${kind})`, async () => {
      await using shop = await startShop(kind)
      await begin(shop.smtp)
      await signUpDuring(shop, outageMs)
      const before = shop.smtp.received.filter(({ encrypted }) => !encrypted)
      const passwordsToStrangers = shop.smtp.logins()

      await end(shop.smtp)
      const startedAt = performance.now()
      await within(HEAL_MAX_MS, 'every mail sent', () => allSent(shop))
      const leftMs = HEAL_MAX_MS - (performance.now() - startedAt)
      await within(leftMs, 'every mail settled', async () =>
        (await shop.mails()).every(({ state }) => state === 'sent'),
      )

      assert.deepEqual(before, [])
      if (/STARTTLS|certificate/.test(why)) assert.equal(passwordsToStrangers, 0)
      await assertCopies(shop)
      await assertNothingLeaked(shop)
    })
  }
})

describe('a mail server that fails for one address', { concurrency: 3 }, () => {
  const victim = 'victim@example.com'
  /** The victim signs up first, the others while it is refused; all of them are mailed. */
  async function refuse(shop: Shop, reply: `${number} ${string}`): Promise<void> {
    shop.smtp.behave({ recipient: (address) => (address === victim ? reply : undefined) })
    await shop.signUp(victim)
    await within(5 * SECOND_MS, 'the refusal', () => shop.smtp.recipients.includes(victim))
    await signUpDuring(shop, SECOND_MS)
    const others = [...shop.acknowledged.keys()].filter((email) => email !== victim)
    await within(20 * SECOND_MS, 'the others mailed', () =>
      others.every((email) => sentTo(shop, email)),
    )
  }
  const rowOf = async (shop: Shop) =>
    (await shop.mails()).find(({ state }) => state !== 'sent') ?? assert.fail('no row')

  test('450: the others are mailed meanwhile, it is tried again in 5 minutes', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '450 4.2.1 try later')

    await within(5 * SECOND_MS, 'the refusal noted', async () => (await rowOf(shop)).refusals === 1)
    const { state, due_at, created_at, last_error } = await rowOf(shop)
    const waitMs = Date.parse(due_at) - Date.parse(created_at)
    assert.equal(state, 'waiting')
    assert.ok(waitMs > 4 * MINUTE_MS && waitMs < 6 * MINUTE_MS, `${waitMs} ms`)
    assert.match(last_error ?? '', /450/)
    assert.equal(shop.smtp.recipients.filter((address) => address === victim).length, 1)
    await assertNothingLeaked(shop)
  })

  test('421: the others are mailed meanwhile, it within a minute of recovery', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '421 4.7.0 too many mails for you')
    shop.smtp.behave({})
    await within(HEAL_MAX_MS, 'the victim mailed', () => sentTo(shop, victim))

    await assertCopies(shop)
    await assertNothingLeaked(shop)
  })

  test('550: the others are mailed meanwhile, it is given up at once', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '550 5.1.1 no such user')

    await within(5 * SECOND_MS, 'bounced', async () => (await rowOf(shop)).state === 'bounced')
    assert.equal(shop.smtp.recipients.filter((address) => address === victim).length, 1)
    assert.match((await rowOf(shop)).last_error ?? '', /550/)
    await assertNothingLeaked(shop)
  })
})

test('a stop while the server hangs ends in time and gives the mail back', async () => {
  await using shop = await startShop('sqlite')
  shop.smtp.behave({ data: 'hang' })
  await shop.signUp('ann@example.com')
  await shop.smtp.got(1)

  process.kill(shop.pid, 'SIGTERM')
  await within(14 * SECOND_MS, 'the end', () => shop.lines.some((line) => /"stopped"/.test(line)))

  const [mail] = await shop.mails()
  assert.deepEqual([mail?.state, mail?.claimed_until, mail?.unconfirmed], ['waiting', null, 1])
})
