import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { smsUrl } from '../server/settings/sms-url.ts'
import { MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { createTwilio } from '../server/outbox/transports/twilio.ts'
import { createDeliveries } from '../server/worker.ts'
import { createTestDatabase } from './support/database.ts'
import { deliverAll } from './support/mailers.ts'
import { confirmPhone, NUMBER, phoneOf, wantPhone } from './support/phones.ts'
import { startProgram } from './support/process.ts'
import { PASSWORD, type Service, SETTINGS, startService } from './support/service.ts'
import { ACCEPTED, answer, refusal, startTwilio } from './support/twilio-server.ts'

/** Delivers by Twilio what is due; the pause of a transport lasts from one call to the next. */
function deliveryBy({ ctx, mailer }: Service, url: string) {
  const account = smsUrl(url)
  assert.ok(account.kind === 'twilio')
  const { sms } = createDeliveries(ctx, { mail: mailer, sms: createTwilio(account) })
  return () => deliverAll(sms)
}

const rows = ({ ctx }: Service) =>
  ctx.db
    .selectFrom('outbox')
    .select(['state', 'recipient', 'payload', 'last_error'])
    .where('channel', '=', 'sms')
    .execute()

const codeIn = (body = '') => /[0-9]{6}/.exec(new URLSearchParams(body).get('Body') ?? '')?.[0]

describe('a phone code by Twilio', () => {
  test('arrives once Twilio is back, and works', async () => {
    await using service = await startService()
    await using twilio = await startTwilio(answer(503, ''), answer(503, ''), ACCEPTED)
    const ann = await service.addUser()
    await wantPhone(service, ann)
    const deliver = deliveryBy(service, twilio.url)
    for (let n = 0; n < 3; n++) {
      await deliver()
      service.advance(30 * SECOND_MS)
    }

    const code = codeIn(twilio.received[2]?.body) ?? ''
    const answered = await confirmPhone(service, ann, code)

    assert.equal(twilio.received.length, 3)
    assert.equal(answered.status, 200)
    assert.equal(answered.body.phone, NUMBER)
    const [row] = await rows(service)
    assert.deepEqual([row?.state, row?.payload], ['sent', '{}'])
  })

  test('is not sent any more when Twilio comes back too late', async () => {
    await using service = await startService()
    await using twilio = await startTwilio(answer(503, ''), ACCEPTED)
    const ann = await service.addUser()
    await wantPhone(service, ann)
    const deliver = deliveryBy(service, twilio.url)
    await deliver()

    service.advance(10 * MINUTE_MS)
    await deliver()

    assert.equal(twilio.received.length, 1)
    assert.deepEqual(
      (await rows(service)).map(({ state }) => state),
      ['dropped'],
    )
  })

  test('bounces for a number that cannot be written to; the next number is not held up', async () => {
    await using service = await startService()
    await using twilio = await startTwilio(refusal(400, 21211, NUMBER), ACCEPTED)
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await wantPhone(service, ann)
    service.advance(1)
    await wantPhone(service, bob)

    await deliveryBy(service, twilio.url)()

    const states = await rows(service)
    assert.deepEqual(states.map(({ state }) => state).toSorted(), ['bounced', 'sent'])
    const bounced = states.find(({ state }) => state === 'bounced')
    assert.equal(bounced?.last_error, 'Twilio answered 400 with code 21211')
    assert.equal(bounced.recipient, NUMBER)
    assert.equal(await phoneOf(service, ann), null)
  })
})

describe('the program', () => {
  for (const [how, isTwilio] of [
    ['prints the code on a line of its own without SMS_URL', false],
    ['sends the code by what SMS_URL names', true],
  ] as const) {
    test(how, async () => {
      const database = await createTestDatabase()
      try {
        await using twilio = await startTwilio(ACCEPTED)
        const env = { ...SETTINGS, DATABASE_URL: database.url, PORT: '0' }
        await using program = startProgram({
          env: isTwilio ? { ...env, SMS_URL: twilio.url } : env,
        })
        const api = `${await program.url()}/api/v1`
        const credentials = { email: 'ann@example.com', password: PASSWORD }
        await post(`${api}/auth/signup`, credentials)
        const mailed = await program.printed(
          /^🔑 Verification code for ann@example\.com: (\d{6})$/m,
        )
        await post(`${api}/auth/verify`, { email: 'ann@example.com', code: mailed[1] })
        const { access_token: token } = await post(`${api}/auth/login`, credentials)
        await post(`${api}/me/phone`, { phone: NUMBER }, token)
        const line = /^🔑 Phone code for \+4915123456789: (\d{6})$/m
        if (isTwilio) await until(() => twilio.received.length > 0)
        const code = isTwilio ? codeIn(twilio.received[0]?.body) : (await program.printed(line))[1]

        const user = await post(`${api}/me/phone/confirm`, { code }, token)

        assert.equal(user.phone, NUMBER)
        assert.equal(line.test(program.stdout()), !isTwilio)
      } finally {
        await database.drop()
      }
    })
  }
})

async function post(url: string, body: unknown, token?: string): Promise<any> {
  const answered = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  const told = await answered.json()
  assert.ok(answered.ok, `${url} ${JSON.stringify(told)}`)
  return told
}

async function until(reached: () => boolean): Promise<void> {
  for (const startedAt = performance.now(); !reached();) {
    assert.ok(performance.now() - startedAt < 10_000, 'nothing came')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
