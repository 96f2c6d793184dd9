import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { sendAtOnce } from '../support/login-flood.ts'
import { temporaryFolder } from '../support/process.ts'
import { times } from '../support/races.ts'
import { startServer } from '../support/server-process.ts'
import { ADMIN } from '../support/settings.ts'

const LOGINS = 2000

test(`${LOGINS} logins at once: each is answered, some with 503, and afterwards the next is served`, async (t) => {
  using folder = temporaryFolder()
  await using server = await startServer({
    ...ADMIN,
    DATABASE_URL: `sqlite:///${folder.path}/app.db`,
    // As in production: nothing is cheap.
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_PASSES: '2',
    HASH_QUEUE: '32',
    RATE_LIMIT: 'off',
  })
  const right = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }
  const wrong = (n: number) => ({ email: `nobody${n}@example.com`, password: 'not it, sorry' })

  const logins = times(LOGINS).map((n) => (n % 10 === 0 ? right : wrong(n)))
  const answers = await sendAtOnce({ url: server.url, logins })
  const afterwards = await ask(server.url, '/auth/login', right)

  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  t.diagnostic(JSON.stringify(counts))
  assert.deepEqual(
    Object.keys(counts).filter((status) => !['200', '401', '503'].includes(status)),
    [],
  )
  const refused = answers.filter(({ status }) => status === 503)
  assert.ok(refused.length > 0, 'nothing was refused: that is no flood')
  assert.ok(refused.every(({ retryAfter }) => retryAfter === '1'))
  assert.equal(afterwards?.status, 200)
})
