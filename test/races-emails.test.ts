import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pg from 'pg'
import { DATABASE } from './support/database.ts'
import {
  changeEmail,
  confirmEmail,
  emailCodeFor,
  emailOf,
  undoEmail,
  undoTokenFor,
  unsentCodeOf,
  usersWith,
  wantEmail,
} from './support/email-changes.ts'
import { afterVerify } from './support/hashes.ts'
import { assertProblem } from './support/problem.ts'
import {
  countStatuses,
  ROUNDS,
  startReplicas,
  times,
  turns,
  waitForBlocked,
} from './support/races.ts'
import { linksTo } from './support/resets.ts'
import { type Answer, PASSWORD } from './support/service.ts'
import { LOGIN, openSessions } from './support/sessions.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const NEW = 'new@example.com'

/** Only what the race may bring: never a 5xx. */
function assertOneOf(answer: Answer, ...statuses: number[]): void {
  assert.ok(statuses.includes(answer.status), answer.text)
}

describe('confirmations at once, over two replicas', () => {
  test('200 exactly once for the right code 50 times', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    const code = await emailCodeFor(first, ann, NEW)

    const answers = await Promise.all(
      times(50).map((n) => confirmEmail(n % 2 ? second : first, ann, code)),
    )

    assert.deepEqual(countStatuses(answers), { 200: 1, 400: 49 })
    assert.equal(await emailOf(first, ann), NEW)
    await first.deliverMail()
    const told = first.mailsTo(ann.email).filter(({ text }) => /#undo=/.test(text))
    assert.equal(told.length, 1)
  })

  test('of two users for one address: one has it, also over a sign-up of it', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair

    for (const n of times(ROUNDS)) {
      const email = `wanted${n}@example.com`
      // Older than one of the two and younger than the other: the order of locks must hold.
      const ann = await first.addUser(`ann${n}@example.com`)
      if (n % 2) await first.signUp(email)
      const bob = await first.addUser(`bob${n}@example.com`)
      const codes = [
        await emailCodeFor(first, ann, email),
        await emailCodeFor(first, bob, email),
      ] as const
      const answers = await Promise.all([
        confirmEmail(first, ann, codes[0]),
        confirmEmail(second, bob, codes[1]),
      ])

      assert.deepEqual(countStatuses(answers), { 200: 1, 400: 1 })
      const [winner, ...others] = await usersWith(first, email)
      assert.equal(winner?.id, answers[0].status === 200 ? ann.id : bob.id)
      assert.equal(others.length, 0)
    }
  })

  test('of two users who want each other’s address: neither gets it', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const [ann, bob] = [await first.addUser('ann@example.com'), await first.addUser()]

    for (const n of times(ROUNDS)) {
      await Promise.all([wantEmail(first, ann, bob.email), wantEmail(second, bob, ann.email)])
      const codes = [await unsentCodeOf(first, ann), await unsentCodeOf(first, bob)] as const
      const answers = await Promise.all([
        turns(n).then(() => confirmEmail(first, ann, codes[0])),
        confirmEmail(second, bob, codes[1]),
      ])
      assert.deepEqual(countStatuses(answers), { 400: 2 })
    }
    assert.deepEqual(
      [await emailOf(first, ann), await emailOf(first, bob)],
      ['ann@example.com', bob.email],
    )
  })
})

test('401 for a login by the old address whose hash was still compared at the confirmation', async () => {
  await using replicas = await startReplicas()
  const [service] = replicas.pair
  const ann = await service.addUser()
  const code = await emailCodeFor(service, ann, NEW)
  const [compared, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  afterVerify(service, () => {
    compared.resolve()
    return changed.promise
  })

  const login = service.post(LOGIN, { email: ann.email, password: PASSWORD })
  await compared.promise
  const confirmed = await confirmEmail(service, ann, code)
  changed.resolve()

  assert.equal(confirmed.status, 200)
  assertProblem(await login, 'invalid_credentials')
  assert.equal(await openSessions(service, ann), 1)
})

describe('a confirmation against a sign-up of the new address', () => {
  test('that begins: the address is the user’s, whoever was first', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair

    for (const n of times(ROUNDS)) {
      const email = `wanted${n}@example.com`
      const ann = await first.addUser(`ann${n}@example.com`)
      const code = await emailCodeFor(first, ann, email)
      const [confirmed, signedUp] = await Promise.all([
        turns(n % 10).then(() => confirmEmail(first, ann, code)),
        second.post(SIGN_UP, { email, password: PASSWORD }),
      ])

      assert.equal(confirmed.status, 200, confirmed.text)
      assertOneOf(signedUp, 201, 409)
      assert.deepEqual(
        (await usersWith(first, email)).map(({ id }) => id),
        [ann.id],
      )
    }
  })

  test('that verifies: who commits first has the address, and who was told 200 keeps it', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair

    for (const n of times(ROUNDS)) {
      const email = `wanted${n}@example.com`
      const ann = await first.addUser(`ann${n}@example.com`)
      const sign_up_id = await first.signUp(email)
      const proof = await first.codeFor(email)
      const code = await emailCodeFor(first, ann, email)
      const [confirmed, verified] = await Promise.all([
        turns(n % 5).then(() => confirmEmail(first, ann, code)),
        turns((n * 3) % 5).then(() => second.post(VERIFY, { email, code: proof, sign_up_id })),
      ])

      assert.deepEqual(countStatuses([confirmed, verified]), { 200: 1, 400: 1 })
      const [holder, ...others] = await usersWith(first, email)
      assert.equal(others.length, 0)
      assert.notEqual(holder?.verified_at, null)
      assert.equal(holder?.id === ann.id, confirmed.status === 200)
    }
  })
})

describe('undoing at once, over two replicas', () => {
  test('200 exactly once for one link 50 times, and one link to reset is mailed', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser('ann@example.com')
    await changeEmail(first, ann, NEW)
    const token = undoTokenFor(first, ann.email)

    const answers = await Promise.all(
      times(50).map((n) => undoEmail(n % 2 ? second : first, token)),
    )
    await first.deliverMail()

    assert.deepEqual(countStatuses(answers), { 200: 1, 400: 49 })
    assert.equal(await emailOf(first, ann), ann.email)
    assert.equal(linksTo(first, ann.email).length, 1)
  })
})

if (DATABASE === 'postgres') {
  test('a confirmation locks in the order of all others: an admin who changes both never meets it in a circle', async () => {
    await using replicas = await startReplicas()
    const [service] = replicas.pair
    await service.signUp(NEW)
    const [begun] = await usersWith(service, NEW)
    const ann = await service.addUser()
    const code = await emailCodeFor(service, ann, NEW)
    const admin = new pg.Client({ connectionString: service.databaseUrl })
    await admin.connect()
    const lock = (id: number | undefined, how: string) =>
      admin.query(`select id from users where id = $1 for update ${how}`, [id])
    await admin.query('begin')
    await lock(begun?.id, '')

    const confirming = confirmEmail(service, ann, code)
    await waitForBlocked(admin)
    const second = await lock(ann.id, 'nowait')
    await admin.query('commit')
    await admin.end()

    assert.equal(second.rowCount, 1)
    assert.equal((await confirming).status, 200)
  })
}
