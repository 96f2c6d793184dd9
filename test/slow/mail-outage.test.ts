import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LANES } from '../../server/outbox/run.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { times } from '../support/races.ts'
import { codeIn, type DatabaseKind, type Shop, startShop } from '../support/mail-outage.ts'
import type { Script, ScriptedSmtpServer, SmtpOptions } from '../support/smtp-server.ts'
import { until } from '../support/until.ts'

// What the mail server does to a service that runs as a process of its own.

const SIGN_UPS = 24
let people = 0

async function signUp(shop: Shop, count: number): Promise<void> {
  for (const _ of times(count)) await shop.signUp(`user${++people}@example.com`)
}
/** Tries that failed. After the first ones a single mail is tried at a time. */
const faults = ({ lines }: Shop) =>
  lines.filter((line) => line.includes('"message not delivered"')).length
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
    const verified = await shop.post('/auth/verify', { email, code, sign_up_id: signUpId })
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

describe('a mail server that fails for everybody', { concurrency: 6 }, () => {
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

  /** The first mail fails, the others come, and another fails. */
  async function twice(shop: Shop): Promise<void> {
    await signUp(shop, 1)
    await until('a fault', () => faults(shop) >= 1)
    await signUp(shop, SIGN_UPS - 1)
    await until('another fault', () => faults(shop) >= 2)
  }
  /** Until all that are sent at once hang. */
  async function once(shop: Shop): Promise<void> {
    await signUp(shop, SIGN_UPS)
    await shop.smtp.got(LANES)
  }
  /** Each was given up, and of those that asked whether the server works again two, too. */
  async function forLong(shop: Shop): Promise<void> {
    await once(shop)
    await until('two more faults', () => faults(shop) >= LANES + 2)
  }

  for (const [kind, why, begin, end, lasts = twice] of [
    ['postgres', 'hangs after the message for long', hanging, ended, forLong],
    ['sqlite', 'is down', down, upWith()],
    ['postgres', 'is down', down, upWith()],
    ['sqlite', 'takes connections and says nothing', behaving({ connect: 'hang' }), ended],
    ['sqlite', 'is too busy', behaving({ connect: '421 4.3.2 too busy' }), ended],
    ['sqlite', 'refuses our sender', behaving({ mailFrom: '550 5.7.1 not yours' }), ended],
    ['sqlite', 'hangs after the message', hanging, ended, once],
    ['postgres', 'hangs after the message', hanging, ended, once],
    ['sqlite', 'closes before its 250', behaving({ data: 'drop' }), ended],
    ['sqlite', 'has lost its STARTTLS', upWith({ tls: 'none' }), upWith()],
    ['sqlite', 'has a bad certificate', upWith({ badCertificate: true }), upWith()],
  ] as [DatabaseKind, string, Faulty, Faulty, ((shop: Shop) => Promise<void>)?][]) {
    test(`${why}: all is mailed once it works again (${kind})`, async () => {
      await using shop = await startShop(kind)
      await begin(shop.smtp)
      await lasts(shop)
      const before = shop.smtp.received.filter(({ encrypted }) => !encrypted)
      const passwordsToStrangers = shop.smtp.logins()

      await end(shop.smtp)
      await until('every mail', () => allSent(shop))
      await until('every outcome', async () =>
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
    await until('the refusal', () => shop.smtp.recipients.includes(victim))
    await signUp(shop, SIGN_UPS)
    const others = [...shop.acknowledged.keys()].filter((email) => email !== victim)
    await until('the mails to the others', () => others.every((email) => sentTo(shop, email)))
  }
  const rowOf = async (shop: Shop) =>
    (await shop.mails()).find(({ state }) => state !== 'sent') ?? assert.fail('no row')

  test('450: the others are mailed meanwhile, it is tried again in 5 minutes', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '450 4.2.1 try later')

    await until('the refusal noted', async () => (await rowOf(shop)).refusals === 1)
    const { state, due_at, created_at, last_error } = await rowOf(shop)
    const refusedMs = Date.parse(due_at) - 5 * MINUTE_MS
    assert.equal(state, 'waiting')
    assert.ok(refusedMs >= Date.parse(created_at) && refusedMs <= Date.now(), due_at)
    assert.match(last_error ?? '', /450/)
    assert.equal(shop.smtp.recipients.filter((address) => address === victim).length, 1)
    await assertNothingLeaked(shop)
  })

  test('421: the others are mailed meanwhile, it once the server takes it', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '421 4.7.0 too many mails for you')
    shop.smtp.behave({})
    await until('the mail to the victim', () => sentTo(shop, victim))
    await until('its outcome', async () =>
      (await shop.mails()).every((mail) => mail.state === 'sent'),
    )

    await assertCopies(shop)
    await assertNothingLeaked(shop)
  })

  test('550: the others are mailed meanwhile, it is given up at once', async () => {
    await using shop = await startShop('sqlite')

    await refuse(shop, '550 5.1.1 no such user')

    await until('the bounce', async () => (await rowOf(shop)).state === 'bounced')
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
  const exitCode = await shop.ended

  const [mail] = await shop.mails()
  assert.equal(exitCode, 0)
  assert.ok(shop.lines.some((line) => /"stopped"/.test(line)))
  assert.deepEqual([mail?.state, mail?.claimed_until, mail?.unconfirmed], ['waiting', null, 1])
})
