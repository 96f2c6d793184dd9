import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { MINUTE_MS } from '../server/lib/units.ts'
import { CONFIRM, PHONE, phoneCodeFor } from './support/phones.ts'
import { assertProblem } from './support/problem.ts'
import { runProgram } from './support/process.ts'
import { FORGOT, reset, tokenFor } from './support/resets.ts'
import { SETTINGS, startService } from './support/service.ts'

const MANUAL = 'docs/runbook.md'

/** What the manual has an operator run on a database that was restored. */
function statements(): string[] {
  const chapter = readFileSync(MANUAL, 'utf8').split('### After restoring')[1] ?? ''
  const block = /```sql\n([^`]+)```/.exec(chapter)?.[1] ?? ''
  return block
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

test('after a restore, by the manual: no session, code or link of then works, no mail goes out again', async () => {
  await using service = await startService({}, { nowMs: Date.now() })
  const ann = await service.addUser()
  const phoneCode = await phoneCodeFor(service, ann)
  await service.post(PHONE, { phone: '+15550100200' }, { token: ann.access })
  const email = 'bob@example.com'
  const sign_up_id = await service.signUp(email)
  const code = await service.codeFor(email)
  const link = await tokenFor(service, ann.email)
  service.advance(MINUTE_MS)
  await service.post(FORGOT, { email: ann.email })
  await service.signUp('eve@example.com')
  const [mails, texts] = [service.mailer.sent.length, service.texts.length]

  const wanted = statements()
  for (const statement of wanted)
    await service.ctx.transaction((tx) => sql.raw(statement).execute(tx))
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl }
  const ended = await runProgram(['sessions', 'end', '--all'], { env })

  assert.equal(wanted.length, 6)
  assert.deepEqual([ended.exitCode, ended.stdout], [0, 'Ended 1 session.\n'])
  await service.deliverMail()
  assert.deepEqual([service.mailer.sent.length, service.texts.length], [mails, texts])
  assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
  const refreshed = await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })
  assertProblem(refreshed, 'invalid_token')
  const verified = await service.post('/api/v1/auth/verify', { email, code, sign_up_id })
  assertProblem(verified, 'invalid_code')
  assertProblem(await reset(service, link), 'invalid_reset_token')
  const { access: token } = await service.logIn(ann.email)
  assertProblem(await service.post(CONFIRM, { code: phoneCode }, { token }), 'invalid_code')
  await service.signUp(email)
  const again = { email, code: await service.codeFor(email) }
  assert.equal((await service.post('/api/v1/auth/verify', again)).status, 200)
})
