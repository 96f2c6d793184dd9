import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runDueJobs } from '../server/jobs/schedule.ts'
import { HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { DeliveryError } from '../server/mail/delivery-error.ts'
import { RECURRING_JOBS } from '../server/worker.ts'
import { otherThan } from './support/codes.ts'
import { deleteMe } from './support/deletions.ts'
import {
  changeEmail,
  confirmEmail,
  emailCodeFor,
  emailCodesTo,
  wantEmail,
} from './support/email-changes.ts'
import { deliverBy } from './support/mailers.ts'
import { askForCode, NUMBER } from './support/phones.ts'
import { assertProblem } from './support/problem.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService, type TestUser } from './support/service.ts'

// Addresses that users want, or had: what that tells of others, and what it allows.

const EXPORT = '/api/v1/me/export'
const TARGET = 'target@example.com'

/** What a user who wanted an address reads of it, without ids, which differ for each asking. */
async function exportOf(service: Service, { access: token }: TestUser) {
  const { body } = await service.get(EXPORT, { token })
  const messages = body.messages.filter(({ kind }: { kind: string }) => kind === 'email_code')
  return {
    messages: messages.map(({ id: _id, ...message }: { id: string }) => message),
    code_failures: body.code_failures,
    email_changes: body.email_changes.map(({ old_email: _old, ...change }: any) => {
      return { ...change, email: '', email_canonical: '', old_email_canonical: '' }
    }),
  }
}

describe('who wants an address cannot tell by the own data who has it', () => {
  for (const [how, deliver] of [
    ['once it was mailed', (service: Service) => service.deliverMail()],
    [
      'when its mail is refused',
      (service: Service) => deliverBy(service, () => new DeliveryError('refused', '550 no')),
    ],
    [
      'while its mail is tried again',
      (service: Service) => deliverBy(service, () => new DeliveryError('later', '450 busy')),
    ],
  ] as const) {
    test(`the same export for a free, a taken and a reserved one ${how}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
      await service.addUser('Taken@example.com')
      const mover = await service.addUser('Reserved@example.com')
      await changeEmail(service, mover, 'moved@example.com')
      const admin = await service.addAdmin()
      const seen: Record<string, unknown> = {}

      for (const wanted of ['free', 'taken', 'reserved']) {
        const eve = await service.addUser()
        await service.deliverMail()
        await wantEmail(service, eve, `${wanted}@EXAMPLE.com`)
        await deliver(service)
        seen[wanted] = await exportOf(service, eve)
      }
      const { body: mails } = await service.get('/api/v1/mail?kind=email_code', {
        token: admin.access,
      })

      const [{ messages }] = Object.values(seen) as [{ messages: object[] }]
      assert.equal(messages.length, 1)
      assert.deepEqual([seen['taken'], seen['reserved']], [seen['free'], seen['free']])
      assert.doesNotMatch(JSON.stringify(mails), /taken|reserved|free/i)
    })
  }

  test('nor once the account that has it is deleted', async () => {
    await using service = await startService()
    const [ann, eve] = [await service.addUser(TARGET), await service.addUser('eve@example.com')]
    await wantEmail(service, eve, TARGET)
    await service.deliverMail()
    const before = await exportOf(service, eve)

    await deleteMe(service, ann)

    assert.deepEqual(await exportOf(service, eve), before)
    service.advance(2 * HOUR_MS)
    await service.deliverMail()
    await runDueJobs(service.ctx, RECURRING_JOBS)
    const rows = [await rowsOf(service.ctx, 'outbox'), await rowsOf(service.ctx, 'email_changes')]
    assert.doesNotMatch(JSON.stringify(rows), /target/)
  })
})

describe('one account after the other, each deleted in between', () => {
  test('has five guesses together at the codes for one address, then one an hour', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const guess = async (times: number) => {
      const eve = await service.addUser('eve@example.com')
      const code = await emailCodeFor(service, eve, TARGET)
      for (let n = 1; n <= times; n++)
        assertProblem(await confirmEmail(service, eve, otherThan(code, n)), 'invalid_code')
      return { eve, code }
    }

    for (const times of [3, 2])
      assert.equal((await deleteMe(service, (await guess(times)).eve)).status, 204)
    const last = await guess(0)
    const atOnce = await confirmEmail(service, last.eve, last.code)
    service.advance(HOUR_MS)
    const later = await guessAgain(service)

    assertProblem(atOnce, 'invalid_code')
    assert.equal(later.status, 200)
  })

  async function guessAgain(service: Service) {
    const login = await service.logIn('eve@example.com')
    return confirmEmail(service, login, await emailCodeFor(service, login, TARGET))
  }

  test('guesses no more with accounts that stay, and what was right is not counted', async () => {
    await using service = await startService()
    for (const times of [4, 1]) {
      const eve = await service.addUser()
      const code = await emailCodeFor(service, eve, TARGET)
      for (let n = 1; n <= times; n++) await confirmEmail(service, eve, otherThan(code, n))
    }
    const ann = await service.addUser('ann@example.com')
    const refused = await confirmEmail(service, ann, await emailCodeFor(service, ann, TARGET))

    service.advance(MINUTE_MS)
    await changeEmail(service, ann, 'other@example.com')

    assertProblem(refused, 'invalid_code')
    const rows = await rowsOf(service.ctx, 'code_failures')
    const tries = rows.map((row) => [row.purpose, JSON.parse(row.times).length])
    assert.deepEqual(
      tries.filter(([purpose]) => purpose === 'new_email'),
      [['new_email', 5]],
    )
    assert.doesNotMatch(JSON.stringify(rows), /target/)
  })

  test('has five mails an hour sent to one address, taken or free', async () => {
    await using service = await startService()
    await service.addUser('taken@example.com')
    const ask = async (email: string) => {
      const eve = await service.addUser('eve@example.com')
      await wantEmail(service, eve, email)
      await service.deliverMail()
      assert.equal((await deleteMe(service, eve)).status, 204)
    }
    const notices = () =>
      service.mailsTo('taken@example.com').filter(({ subject }) => /already has a/.test(subject))

    for (let n = 0; n < 7; n++) for (const email of [TARGET, 'taken@example.com']) await ask(email)
    const sent = [emailCodesTo(service, TARGET).length, notices().length]
    service.advance(HOUR_MS)
    await ask(TARGET)

    assert.deepEqual(sent, [5, 5])
    assert.equal(emailCodesTo(service, TARGET).length, 6)
    const rows = (await rowsOf(service.ctx, 'outbox')).filter(({ kind }) => kind === 'email_code')
    assert.doesNotMatch(JSON.stringify(rows), /target|taken|eve/)
  })
})

describe('the next holder of an address', () => {
  /** Ann had it, with a text message from then, until it was nobody's again; then Bob signs it up. */
  async function passOn(service: Service) {
    const ann = await service.registerUser('info@example.com')
    await askForCode(service, ann)
    await changeEmail(service, ann, 'ann@example.com')
    service.advance(73 * HOUR_MS)
    return { ann, bob: await service.registerUser('info@example.com') }
  }
  const messagesOf = async ({ ctx }: Service, { id }: TestUser) =>
    (await rowsOf(ctx, 'outbox')).filter((row) => row.user_id === id)

  test('reads nothing of what was written for the one before', async () => {
    await using service = await startService()
    const { ann, bob } = await passOn(service)

    const { body, text } = await service.get(EXPORT, { token: bob.access })

    const his = new Set((await messagesOf(service, ann)).map(({ id }) => id))
    assert.ok(his.size > 0 && body.messages.length > 0)
    assert.ok(body.messages.every(({ id }: { id: string }) => !his.has(id)))
    assert.ok(!text.includes(NUMBER))
  })

  for (const HIDE_REGISTERED_EMAILS of ['false', 'true']) {
    test(`takes nothing of it along, with HIDE_REGISTERED_EMAILS=${HIDE_REGISTERED_EMAILS}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS })
      const { ann, bob } = await passOn(service)
      const before = await messagesOf(service, ann)

      assert.equal((await deleteMe(service, bob)).status, 204)

      assert.ok(before.some((row) => row.recipient === NUMBER))
      assert.deepEqual(await messagesOf(service, ann), before)
    })
  }
})
