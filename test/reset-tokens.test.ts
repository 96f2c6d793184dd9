import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mac } from '../server/lib/keys.ts'
import { DAY_MS, HOUR_MS } from '../server/lib/units.ts'
import { countHashes } from './support/hashes.ts'
import { assertInvalid, assertProblem } from './support/problem.ts'
import {
  NEW_PASSWORD,
  reset,
  RESET,
  resetsOf,
  tokenFor,
  unconfirmedTokenFor,
} from './support/resets.ts'
import { rowsOf, runJob } from './support/seed.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'
import { encode, respell } from './support/tokens.ts'
import { rowOf } from './support/users.ts'

const email = 'ann@example.com'
const LINK = '/reset'

describe('what is refused', () => {
  let service: Service
  let ann: TestUser
  let token: string
  before(async () => {
    service = await startService()
    ann = await service.addUser(email, PASSWORD, 'Annabel Lee')
    token = await tokenFor(service, email)
  })
  after(() => service[Symbol.asyncDispose]())

  const stored = async () => ({ user: await rowOf(service, ann), resets: await resetsOf(service) })
  const idOf = (text: string) => text.split('.')[0] ?? ''
  const macOf = (text: string) => text.split('.')[1] ?? ''
  const unsigned = (id: number) =>
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode({ sub: String(id) })}.`

  for (const [why, forge] of [
    ['an access token', () => ann.access],
    ['an unsigned token', () => unsigned(ann.id)],
    ['a refresh token', () => ann.refresh],
    ['the id alone', () => idOf(token)],
    ['the id with no MAC', () => `${idOf(token)}.`],
    ['a MAC cut short', () => token.slice(0, -1)],
    ['one letter more', () => `${token}A`],
    ['a letter changed', () => token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['another spelling of the same bytes', () => respell(token)],
    ['the id in upper case', () => `${idOf(token).toUpperCase()}.${macOf(token)}`],
    ['an outer space', () => ` ${token}`],
    ['a line break after it', () => `${token}\n`],
    ['a whole link', () => `http://localhost:8000/reset#token=${token}`],
    ['the MAC of another purpose', () => `${idOf(token)}.${ann.refresh.split('.')[2]}`],
    ['the MAC of the id alone', () => `${idOf(token)}.${linkMac(idOf(token))}`],
    ['the MAC of an undo link', () => `${idOf(token)}.${linkMac(`undo:${idOf(token)}`)}`],
    ['the right MAC of an unknown id', () => forgedFor('0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10')],
    ['NUL', () => '\0'],
  ] as const) {
    test(`400 invalid_reset_token for ${why}, and nothing changes`, async () => {
      const before = await stored()
      const hashes = countHashes(service)

      const answers = [await reset(service, forge()), await reset(service, forge(), 'short')]

      for (const answer of answers) assertProblem(answer, 'invalid_reset_token')
      assert.equal(hashes.made, 0)
      assert.deepEqual(await stored(), before)
    })
  }

  for (const [why, password, code] of [
    ['too short', 'short 7', 'too_short'],
    ['too long', 'x'.repeat(257), 'too_long'],
    ['common', 'password123', 'blocklisted'],
    ['the address', email, 'blocklisted'],
    ['the own name', 'Annabel Lee 1990', 'blocklisted'],
  ] as const) {
    test(`422 ${code} for a password that is ${why}, and nothing changes`, async () => {
      const before = await stored()
      const hashes = countHashes(service)

      const refused = await reset(service, token, password)

      assertInvalid(refused, '/password', code)
      assert.equal(hashes.made, 0)
      assert.deepEqual(await stored(), before)
    })
  }

  test('413 for a password of a megabyte, and nothing changes', async () => {
    const before = await stored()
    assertProblem(await reset(service, token, 'x'.repeat(2 ** 20)), 'body_too_large')
    assert.deepEqual(await stored(), before)
  })

  for (const [why, body, pointer] of [
    ['no token', () => ({ password: NEW_PASSWORD }), '/token'],
    ['no password', () => ({ token }), '/password'],
    ['an empty token', () => ({ token: '', password: NEW_PASSWORD }), '/token'],
    ['null', () => ({ token: null, password: NEW_PASSWORD }), '/token'],
    ['a list', () => ({ token: [token], password: NEW_PASSWORD }), '/token'],
    [
      'the address of another',
      () => ({ token, password: NEW_PASSWORD, email: 'b@x.io' }),
      '/email',
    ],
    ['the id of another', () => ({ token, password: NEW_PASSWORD, user_id: 1 }), '/user_id'],
  ] as const) {
    test(`422 for ${why}, and nothing changes`, async () => {
      const before = await stored()

      assertInvalid(await service.post(RESET, body()), pointer)
      assert.deepEqual(await stored(), before)
    })
  }

  for (const [method, url, status] of [
    ['GET', (secret: string) => `${RESET}?token=${secret}`, 405],
    ['HEAD', (secret: string) => `${RESET}?token=${secret}`, 405],
    ['POST', (secret: string) => `${RESET}?token=${secret}&password=${NEW_PASSWORD}`, 422],
    ['GET', (secret: string) => `${LINK}?token=${secret}`, 200],
    ['GET', (secret: string) => `${LINK}#token=${secret}`, 200],
    ['HEAD', (secret: string) => `${LINK}#token=${secret}`, 405],
  ] as const) {
    test(`${status} for ${method} ${url('…')}: the link still works`, async () => {
      const before = await stored()

      const sent = method === 'POST' ? { body: {} } : {}
      const answer = await service.request(method, encodeURI(url(token)), sent)

      assert.equal(answer.status, status, answer.text)
      assert.deepEqual(await stored(), before)
    })
  }

  test('200 for the token itself, after all that', async () => {
    assert.equal((await reset(service, token)).status, 200)
  })

  const linkMac = (text: string) => mac(service.ctx.keys.current.of.link, text)
  const forgedFor = (id: string) => `${id}.${linkMac(`reset:${id}`)}`
})

test('503 overloaded when too many hashes wait, and the link still works', async () => {
  await using service = await startService({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' })
  await service.addUser(email)
  const token = await tokenFor(service, email)
  const busy = service.ctx.hasher.hash(PASSWORD)

  const refused = await reset(service, token)
  await busy

  assertProblem(refused, 'overloaded')
  assert.equal((await reset(service, token)).status, 200)
})

test('422 too_short for an admin’s password of fourteen characters, 200 for fifteen', async () => {
  await using service = await startService()
  const { email: boss } = await service.addAdmin()
  const token = await tokenFor(service, boss)

  const refused = await reset(service, token, 'fourteen chars')
  const taken = await reset(service, token, 'fifteen letters')

  assertInvalid(refused, '/password', 'too_short')
  assert.equal(taken.status, 200)
})

test('token and passwords stand in no log line and no table', async () => {
  await using service = await startService({ LOG_LEVEL: 'trace' })
  await service.addUser(email)
  const token = await unconfirmedTokenFor(service, email)
  await service.post(`${RESET}?token=${token}`, { token: `${token}x`, password: NEW_PASSWORD })
  await service.post(RESET, { token: [token], password: 'x' })
  await service.get(`${LINK}?token=${token}`)
  const whileItWaits = await stored(service)
  await reset(service, token)
  await reset(service, token, 'yet another password')
  await service.deliverMail()

  for (const text of [whileItWaits, await stored(service), service.logged.join('')])
    for (const secret of [token, token.split('.')[1] ?? '', NEW_PASSWORD, 'yet another'])
      assert.ok(!text.includes(secret), `${secret} stands in ${text}`)
})

test('a link is kept for a day after its end, used or not, and no longer', async () => {
  await using service = await startService()
  await service.addUser(email)
  await service.addUser('bob@example.com')
  await reset(service, await tokenFor(service, email))
  await tokenFor(service, 'bob@example.com')
  const left: number[] = []

  for (const pauseMs of [DAY_MS, HOUR_MS]) {
    service.advance(pauseMs)
    await runJob(service, 'purge')
    left.push((await resetsOf(service)).length)
  }

  assert.deepEqual(left, [2, 0])
})

/** Everything that the database holds after a reset. */
async function stored({ ctx }: Service): Promise<string> {
  const tables = ['users', 'outbox', 'password_resets', 'sessions', 'audit_events'] as const
  const rows = await Promise.all(tables.map((table) => rowsOf(ctx, table)))
  return JSON.stringify(rows)
}
