import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import {
  changeEmail,
  confirmEmail,
  EMAIL,
  emailChanges,
  emailCodesTo,
  emailOf,
  unsentCodeOf,
  wantEmail,
} from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { assertIndistinguishable } from '../../support/fingerprint.ts'
import { afterVerify, countHashes } from '../../support/hashes.ts'
import { outboxRows } from '../../support/mailers.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from '../../support/service.ts'

const NEW = 'new@example.com'
const message = 'If this address is available, the code is on its way.'

const subjectsTo = (service: Service, email: string) =>
  service.mailsTo(email).map(({ subject }) => subject)

/** Asks and delivers; how many codes that sent to the address. */
async function sends(service: Service, caller: TestUser, email: string): Promise<number> {
  const before = emailCodesTo(service, email).length
  const answer = await wantEmail(service, caller, email)
  assert.equal(answer.status, 202, answer.text)
  await service.deliverMail()
  return emailCodesTo(service, email).length - before
}

describe('POST /me/email', () => {
  test('202 mails the new address a code, until when it works and where it was asked for; nothing changes yet', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    const sent = { ip: '203.0.113.7' }

    const answer = await wantEmail(service, ann, 'New@Example.com', sent)
    await service.deliverMail()

    assert.equal(answer.status, 202)
    assert.deepEqual(answer.body, { message })
    const [mail, ...others] = service.mailsTo('New@Example.com')
    assert.equal(others.length, 0)
    const [code] = emailCodesTo(service, 'New@Example.com')
    assert.match(mail?.text ?? '', /is valid until 2026-01-01 13:00 UTC/)
    assert.match(
      mail?.text ?? '',
      /requested on 2026-01-01 12:00 UTC from IP address 203\.0\.113\.7 with/,
    )
    assert.equal(mail?.consoleLine, `🔑 Verification code for New@Example.com: ${code}`)
    const me = await service.get('/api/v1/me', { token: ann.access })
    assert.equal(me.body.email, 'ann@example.com')
    assert.deepEqual(subjectsTo(service, 'ann@example.com'), [])
  })

  test('202 is recorded with who, whom and from where, and without an address', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await wantEmail(service, ann, NEW, { ip: '203.0.113.7' })

    const [change] = await emailChanges(service)
    assert.deepEqual(await eventsOf(service, 'email.change_requested'), [
      {
        actor_id: ann.id,
        subject_id: ann.id,
        ip: '203.0.113.7',
        request_id: answer.headers['x-request-id'],
        changes: { email_change_id: change?.id },
      },
    ])
  })

  test('409 email_change_undoable while the last change can be undone, told only after the right password', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    await changeEmail(service, ann, NEW)
    service.advance(MINUTE_MS)
    const another = (caller: { access: string }) =>
      wantEmail(service, caller, 'another@example.com')

    const wrong = await service.post(
      EMAIL,
      { email: 'another@example.com', current_password: 'not it' },
      { token: ann.access },
    )
    const early = await another(ann)
    const back = await wantEmail(service, ann, 'ann@example.com')
    service.advance(72 * HOUR_MS)
    const late = await another(await service.logIn(NEW))

    assertProblem(wrong, 'wrong_password')
    assertProblem(early, 'email_change_undoable')
    assertProblem(back, 'email_change_undoable')
    assert.equal(late.status, 202)
  })

  test('202, the same, whoever has the address: as many rows and hashes; no code but for a free one', async (t) => {
    await using service = await startService()
    await service.addUser('taken@example.com')
    const mover = await service.addUser('reserved@example.com')
    await changeEmail(service, mover, 'moved@example.com')
    await service.signUp('begun@example.com')
    await service.deliverMail()
    const ann = await service.addUser('ann@example.com')
    const hashes = countHashes(service)
    const answers: Record<string, Awaited<ReturnType<typeof wantEmail>>> = {}

    for (const [email, codes, notices] of [
      ['free@example.com', 1, 0],
      ['begun@example.com', 1, 0],
      ['taken@example.com', 0, 1],
      ['TAKEN@example.com', 0, 1],
      ['reserved@example.com', 0, 1],
    ] as const) {
      await t.test(email, async () => {
        service.advance(MINUTE_MS + HOUR_MS / 5)
        const { access } = await service.logIn(ann.email)
        await service.deliverMail()
        const owner = email.toLowerCase()
        const sent = service.mailsTo(owner).length
        const rows = (await outboxRows(service)).length
        const { verified } = hashes

        const answer = await wantEmail(service, { access }, email)

        answers[email] = answer
        assert.equal(hashes.verified - verified, 1)
        assert.equal((await outboxRows(service)).length - rows, 1)
        const pending = (await emailChanges(service)).filter((row) => row.confirmed_at === null)
        assert.deepEqual(
          pending.map((row) => [row.user_id, row.email]),
          [[ann.id, email]],
        )
        await service.deliverMail()
        const mails = service.mailsTo(owner).slice(sent)
        const told = mails.filter(({ subject }) => /already in use/.test(subject))
        assert.deepEqual([mails.length - told.length, told.length], [codes, notices])
        for (const { text } of told) assert.doesNotMatch(text, /\b[0-9]{6}\b/)
      })
    }
    assertIndistinguishable(answers)
    assert.equal(hashes.made, 0)
  })

  test('400 invalid_code at the confirmation of a taken address, even for the code that was never sent', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await wantEmail(service, ann, bob.email)

    const answer = await confirmEmail(service, ann, await unsentCodeOf(service, ann))

    assertProblem(answer, 'invalid_code')
    assert.deepEqual(
      [await emailOf(service, ann), await emailOf(service, bob)],
      [ann.email, bob.email],
    )
  })

  test('422 unchanged for the own address, however it is typed, before the password is looked at', async (t) => {
    await using service = await startService()
    const { access: token } = await service.addUser('ann@example.com')
    for (const email of ['ann@example.com', 'Ann@EXAMPLE.com']) {
      await t.test(email, async () => {
        const body = { email, current_password: 'not it' }
        assertInvalid(await service.post(EMAIL, body, { token }), '/email', 'unchanged')
      })
    }
    assert.deepEqual(await emailChanges(service), [])
  })

  test('422 for what is not an address, an unknown field or no password', async (t) => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    for (const [pointer, body] of [
      ['/email', { email: 'not an address', current_password: PASSWORD }],
      ['/email', { email: ' new@example.com', current_password: PASSWORD }],
      ['/email', { current_password: PASSWORD }],
      ['/current_password', { email: NEW }],
      ['/password', { email: NEW, current_password: PASSWORD, password: PASSWORD }],
    ] as const) {
      await t.test(`${pointer} of ${JSON.stringify(body)}`, async () => {
        assertInvalid(await service.post(EMAIL, body, { token }), pointer)
      })
    }
    assert.deepEqual(await emailChanges(service), [])
  })

  test('403 wrong_password, recorded, and nothing is written or mailed', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    const rows = await outboxRows(service)

    const body = { email: NEW, current_password: 'not it' }
    const answer = await service.post(EMAIL, body, { token })

    assertProblem(answer, 'wrong_password')
    assert.deepEqual(await emailChanges(service), [])
    assert.deepEqual(await outboxRows(service), rows)
    assert.equal((await eventsOf(service, 'password.refused')).length, 1)
  })

  test('401 invalid_token when the session ends while the password is compared', async () => {
    await using service = await startService()
    const { access: token, refresh } = await service.addUser()
    afterVerify(service, () => service.post('/api/v1/auth/logout', { refresh_token: refresh }))

    const answer = await wantEmail(service, { access: token }, NEW)

    assertProblem(answer, 'invalid_token')
    assert.deepEqual(await emailChanges(service), [])
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.post(EMAIL, { email: 7 }), 'authentication_required')
  })
})

describe('mails with a code for a new address', () => {
  test('are five an hour for each address, however many users ask', async () => {
    await using service = await startService()
    const sent: number[] = []

    for (let n = 0; n < 6; n++) sent.push(await sends(service, await service.addUser(), NEW))
    service.advance(HOUR_MS)
    sent.push(await sends(service, await service.addUser(), NEW))

    assert.deepEqual(sent, [1, 1, 1, 1, 1, 0, 1])
  })
})
