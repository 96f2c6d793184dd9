import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changeUser, removeUser } from '../server/api/user-changes.ts'
import { HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { outboxRows } from './support/mailers.ts'
import { runOn } from './support/process.ts'
import { countStatuses, oneByOne } from './support/races.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'

const at = ({ id }: { id: number }) => `/api/v1/users/${id}`
const subjectsTo = (service: Service, { email }: { email: string }) =>
  service.mailsTo(email).map(({ subject }) => subject)

/** Two admins and a customer. */
async function cast(service: Service) {
  const boss = await service.addAdmin('boss@example.com')
  const other = await service.addAdmin('other@example.com')
  const ann = await service.addUser('ann@example.com')
  return { boss, other, ann, token: boss.access }
}

const deleteNew = async (service: Service, { access: token }: TestUser) => {
  const { status } = await service.delete(at(await service.addUser()), { token })
  assert.equal(status, 200)
}

describe('every active admin is mailed', () => {
  test('a promotion, with who did it and to whom, but not the new admin', async () => {
    await using service = await startService()
    const { boss, other, ann, token } = await cast(service)

    await service.patch(at(ann), { role: 'admin' }, { token })
    await service.deliverMail()

    for (const admin of [boss, other]) {
      const [mail, ...others] = service.mailsTo(admin.email)
      assert.deepEqual(others, [])
      assert.equal(mail?.subject, 'Coffee Shop has a new admin')
      const sentence = `user ${ann.id} (${ann.email}) was made an admin by user ${boss.id} (${boss.email}).`
      assert.ok(mail.text.includes(sentence), mail.text)
    }
    assert.deepEqual(service.mailsTo(ann.email), [])
  })

  test('a demotion, disabling and enabling, the admin concerned, too', async () => {
    await using service = await startService()
    const { boss, other, token } = await cast(service)

    await service.patch(at(other), { disabled: true }, { token })
    await service.patch(at(other), { disabled: false }, { token })
    await service.patch(at(other), { role: 'user', disabled: true }, { token })
    await service.deliverMail()

    const subjects = [
      'An admin of Coffee Shop was disabled',
      'An admin of Coffee Shop was enabled again',
      'An admin of Coffee Shop lost the admin role',
    ]
    assert.deepEqual(subjectsTo(service, boss).toSorted(), subjects.toSorted())
    const concerned = subjects.filter((subject) => !subject.includes('enabled'))
    assert.deepEqual(subjectsTo(service, other).toSorted(), concerned.toSorted())
  })

  test('a deletion, by the id alone, in no row the address', async () => {
    await using service = await startService()
    const { boss, other, ann, token } = await cast(service)

    await service.delete(at(ann), { token })
    const waiting = await outboxRows(service)
    await service.deliverMail()

    for (const admin of [boss, other]) {
      const [mail, ...others] = service.mailsTo(admin.email)
      assert.deepEqual(others, [])
      assert.equal(mail?.subject, 'A user of Coffee Shop was deleted')
      assert.ok(mail.text.includes(`user ${ann.id} was deleted by user ${boss.id}`), mail.text)
    }
    assert.ok(!JSON.stringify([waiting, await outboxRows(service)]).includes(ann.email))
  })

  test('what an operator does, as an operator’s', async () => {
    // The clock of the command.
    await using service = await startService({}, { nowMs: Date.now() })
    const { boss, other, ann } = await cast(service)

    await changeUser(service.ctx, ann.id, { role: 'admin' })
    await removeUser(service.ctx, other.id)
    const args = ['users', 'create', 'new@example.com', '--role', 'admin']
    const { exitCode, stderr } = await runOn(service, args, { input: `a long ${PASSWORD}` })
    service.advance(MINUTE_MS)
    await service.deliverMail()

    assert.equal(exitCode, 0, stderr)
    const mails = service.mailsTo(boss.email)
    assert.deepEqual(mails.map(({ subject }) => subject).toSorted(), [
      'A user of Coffee Shop was deleted',
      'Coffee Shop has a new admin',
      'Coffee Shop has a new admin',
    ])
    assert.ok(mails.every(({ text }) => text.includes('by an operator of the service.')))
    assert.deepEqual(service.mailsTo('new@example.com'), [])
  })

  test('in the admin’s language', async () => {
    await using service = await startService()
    const { boss, ann, token } = await cast(service)
    await service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ locale: 'de' }).where('id', '=', boss.id).execute(),
    )

    await service.patch(at(ann), { role: 'admin' }, { token })
    await service.deliverMail()

    assert.deepEqual(subjectsTo(service, boss), ['Coffee Shop hat ein neues Administratorkonto'])
  })
})

describe('no admin is mailed', () => {
  test('what changes no rights or is refused', async () => {
    await using service = await startService()
    const { boss, other, ann, token } = await cast(service)

    await service.patch(at(ann), { full_name: 'Ann', role: 'user', disabled: true }, { token })
    await service.patch(at(ann), { disabled: false }, { token })
    await service.patch(at(other), { role: 'admin', disabled: false }, { token })
    await service.patch(at(boss), { role: 'user' }, { token })
    await service.delete(at({ id: 999_999 }), { token })

    assert.deepEqual(await outboxRows(service), [])
  })

  test('the first admin of a new service', async () => {
    await using service = await startService({
      ADMIN_EMAIL: 'boss@example.com',
      ADMIN_PASSWORD: 'the long password of the admin',
    })

    assert.deepEqual(await outboxRows(service), [])
  })
})

test('an admin who deletes the own account is reported to the others', async () => {
  await using service = await startService()
  const { boss, other, token } = await cast(service)

  const sent = { token, body: { current_password: boss.password } }
  const answer = await service.request('DELETE', '/api/v1/me', sent)
  await service.deliverMail()

  assert.equal(answer.status, 204, answer.text)
  assert.equal(service.mailsTo(other.email).length, 1)
})

describe('the mails are bounded', () => {
  test('five deletions of customers an hour for each admin, and a deletion of an admin still', async () => {
    await using service = await startService()
    const { boss, other, token } = await cast(service)
    const third = await service.addAdmin()

    await oneByOne(7, async () => {
      await deleteNew(service, boss)
      await service.deliverMail()
    })
    const many = service.mailsTo(other.email).length
    await service.delete(at(third), { token })
    await service.deliverMail()
    const withAdmin = service.mailsTo(other.email).length
    service.advance(HOUR_MS)
    await deleteNew(service, { ...boss, ...(await service.logIn(boss.email)) })
    await service.deliverMail()

    assert.deepEqual([many, withAdmin, service.mailsTo(other.email).length], [5, 6, 7])
  })

  test('deletions of customers while the mail still waits are one mail', async () => {
    await using service = await startService()
    const { boss, other } = await cast(service)

    await oneByOne(3, () => deleteNew(service, boss))
    await service.deliverMail()

    assert.equal(service.mailsTo(other.email).length, 1)
  })

  test('each change of rights is mailed, and there are a hundred an hour', async () => {
    await using service = await startService()
    const { boss, other, ann, token } = await cast(service)

    const change = (n: number) =>
      service.patch(at(ann), { role: n % 2 === 0 ? 'admin' : 'user' }, { token })

    const answers = await oneByOne(101, change)
    await service.deliverMail()

    assert.deepEqual(countStatuses(answers), { 200: 100, 429: 1 })
    assert.equal(service.mailsTo(other.email).length, 100)
    assert.equal(service.mailsTo(boss.email).length, 100)
  })

  test('twenty admins at most, among them who did it and whom it concerns', async () => {
    await using service = await startService()
    const admins = await oneByOne(22, () => service.addAdmin())
    const [boss, other] = admins.slice(-2) as [TestUser, TestUser]

    await service.patch(at(other), { role: 'user' }, { token: boss.access })
    await service.deliverMail()

    const mailed = admins.filter(({ email }) => service.mailsTo(email).length === 1)
    assert.deepEqual(
      mailed.map(({ id }) => id),
      [...admins.slice(0, 18), boss, other].map(({ id }) => id),
    )
  })
})
