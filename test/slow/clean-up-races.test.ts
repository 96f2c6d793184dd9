import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runDueJobs } from '../../server/schedule/schedule.ts'
import { DAY_MS, SECOND_MS } from '../../server/lib/units.ts'
import { RECURRING_JOBS } from '../../server/accounts/recurring-jobs.ts'
import { times, turns } from '../support/races.ts'
import { startOn } from '../support/seed.ts'
import { PASSWORD, type Service } from '../support/service.ts'

const ROUNDS = 25
const USERS = 20
const VERIFY = '/api/v1/auth/verify'

/** Accounts at the last millisecond of their life, with their codes. */
async function accountsBeforeTheEnd(service: Service, round: number) {
  const emails = times(USERS).map((n) => `user${round}x${n}@example.com`)
  for (const email of emails) await service.signUp(email)
  await service.deliverMail()
  const accounts = emails.map((email) => {
    const [mail] = service.mailsTo(email)
    return { email, code: /\b[0-9]{6}\b/.exec(mail?.text ?? '')?.[0] }
  })
  service.mailer.sent.length = 0
  service.advance(2 * DAY_MS - 1)
  return accounts
}

/** How many were verified. A 200 means that the account is there afterwards, a 400 that it is gone. */
async function race(service: Service, round: number): Promise<number> {
  const accounts = await accountsBeforeTheEnd(service, round)
  const verifying = accounts.map(async ({ email, code }, n) => {
    await turns(n)
    return service.post(VERIFY, { email, code })
  })
  await turns(round)
  service.advance(SECOND_MS)
  await runDueJobs(service.ctx, RECURRING_JOBS)

  const answers = await Promise.all(verifying)
  const users = await service.ctx.db.selectFrom('users').select(['email', 'verified_at']).execute()
  for (const [n, { email }] of accounts.entries()) {
    const user = users.find((one) => one.email === email)
    if (answers[n]?.status === 200)
      assert.ok(user?.verified_at, `${email} was told 200 and is gone`)
    else assert.equal(user, undefined, `${email} was refused and is still there`)
  }
  return answers.filter((answer) => answer.status === 200).length
}

describe(`${ROUNDS * USERS} verifications in the moment in which the clean-up comes`, () => {
  for (const database of ['sqlite', 'postgres'] as const) {
    test(`on ${database}: 200 means that the account stays`, async (t) => {
      await using service = await startOn(database, {
        CLEANUP_SCHEDULE: '* * * * * *',
        VERIFICATION_CODE_EXPIRE_HOURS: '168',
        UNVERIFIED_USER_TTL_HOURS: '48',
      })
      let verified = 0
      for (const round of times(ROUNDS)) verified += await race(service, round)

      t.diagnostic(`${verified} of ${ROUNDS * USERS} were verified, the others deleted`)
      assert.ok(verified > 0 && verified < ROUNDS * USERS, `${verified} were verified`)
      await service.logIn(
        (await service.ctx.db.selectFrom('users').select('email').executeTakeFirstOrThrow()).email,
        PASSWORD,
      )
    })
  }
})
