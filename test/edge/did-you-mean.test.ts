import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const signUp = (service: Service, email: string) =>
  service.post(SIGN_UP, { email, password: PASSWORD })

describe('did_you_mean of a sign-up', () => {
  test('names the address that was probably meant, and the mail goes to the one that was sent', async () => {
    await using service = await startService()

    const answer = await signUp(service, 'Ann.Lee+shop@Gmial.com')

    assert.equal(answer.status, 201)
    assert.equal(answer.body.did_you_mean, 'Ann.Lee+shop@gmail.com')
    assert.equal(answer.body.email, 'Ann.Lee+shop@Gmial.com')
    await service.deliverMail()
    assert.deepEqual(
      service.mailer.sent.map(({ to }) => to),
      ['Ann.Lee+shop@Gmial.com'],
    )
  })

  for (const email of ['ann@gmail.com', 'ann@ymail.com', 'ann@example.com', 'ann@gmx.at']) {
    test(`is absent for ${email}`, async () => {
      await using service = await startService()
      assert.ok(!('did_you_mean' in (await signUp(service, email)).body))
    })
  }

  test('is the same for a registered address, for one that waits and for an unknown one', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'on' })
    await service.addUser('known@gmial.com')
    await service.signUp('waits@gmial.com')

    const answers = [
      await signUp(service, 'known@gmial.com'),
      await signUp(service, 'waits@gmial.com'),
      await signUp(service, 'unknown@gmial.com'),
    ]

    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.did_you_mean]),
      [
        [201, 'known@gmail.com'],
        [201, 'waits@gmail.com'],
        [201, 'unknown@gmail.com'],
      ],
    )
    const shapes = answers.map(({ body }) => Object.keys(body).toSorted().join())
    assert.deepEqual([...new Set(shapes)], ['did_you_mean,email,message,sign_up_id'])
  })

  test('does not depend on whether the address that it names is registered', async () => {
    await using service = await startService()
    await service.addUser('known@gmail.com')

    const known = await signUp(service, 'known@gmial.com')
    const unknown = await signUp(service, 'unknown@gmial.com')

    assert.equal(known.body.did_you_mean, 'known@gmail.com')
    assert.equal(unknown.body.did_you_mean, 'unknown@gmail.com')
  })
})
