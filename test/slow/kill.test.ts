import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { openDatabase } from '../../server/database/open.ts'
import { LANES } from '../../server/outbox/run.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { createDatabase } from '../support/cluster.ts'
import { LONG } from '../support/long.ts'
import { type Account, createLoad, type Load } from '../support/kill-load.ts'
import { temporaryFolder } from '../support/process.ts'
import { times } from '../support/races.ts'
import { PASSWORD } from '../support/service.ts'
import { startServer, startWorkerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { askPatiently } from '../support/ask.ts'

const KILLS = LONG ? 12 : 4
const CLIENTS = 6
/** With the third worker that ends with a mail in hand it is given up. */
const CRASHES_MAX = 3
/** Early and late in what a server does after its start: so many answers and mails after it, at most. */
const MOMENTS = 60
/** How a process says that it no longer had what it held. */
const NOT_WRITTEN = /"(claim lost to another worker|cannot write the outcome of a message)"/

interface Fleet {
  /** Servers that go on serving while one is killed. */
  readonly standby: number
  /** With workers of their own the servers send nothing, and a worker is killed with each server. */
  readonly workers: number
}

/** Kills servers and workers under load, one after the other. */
async function killAgainAndAgain(url: string, load: Load, fleet: Fleet): Promise<void> {
  const settings = {
    DATABASE_URL: url,
    LOG_LEVEL: 'info',
    RATE_LIMIT: 'off',
    WORKER: fleet.workers > 0 ? 'separate' : 'inline',
  }
  let notWritten = 0
  const hear = (line: string) => {
    load.hear(line)
    if (NOT_WRITTEN.test(line)) notWritten++
  }
  const start = () => startServer(settings, hear)
  const startWorker = () => startWorkerProcess(settings, hear)
  const servers = await Promise.all(times(fleet.standby + 1).map(start))
  const workers = await Promise.all(times(fleet.workers).map(startWorker))
  let next = 0
  let over = false
  const loading = load.run(
    () => servers[next++ % Math.max(1, servers.length)]?.url ?? 'http://127.0.0.1:1',
    () => over,
  )
  try {
    for (const kill of times(KILLS)) {
      const moment = load.progress() + 1 + ((kill * 37) % MOMENTS)
      await Promise.race([until('progress', () => load.progress() >= moment), loading])
      await Promise.all([servers.shift()?.kill(), workers.shift()?.kill()])
      servers.push(await start())
      if (fleet.workers > 0) workers.push(await startWorker())
    }
    over = true
    await loading
    await until('every outcome', async () =>
      (await readTables(url)).mails.every(({ state }) => state !== 'waiting'),
    )
    const tables = await readTables(url)
    checkTables(tables, load)
    for (const account of load.accounts.values()) await checkLife(servers[0]?.url ?? '', account)
    // Every line is read once they have ended.
    await Promise.all([...servers, ...workers].map((one) => one.end()))
    const killed = KILLS * (fleet.workers > 0 ? 2 : 1)
    checkMails(tables, load, { crashesMax: killed * LANES + notWritten })
  } finally {
    over = true
    await Promise.allSettled([loading, ...[...servers, ...workers].map((one) => one.kill())])
  }
}

/**
 * I8: every acknowledged sign-up gets its code, though the process that took it was killed. Another
 * copy comes only of a process that ended, or lost its claim, between the printing and the outcome.
 */
function checkMails({ mails }: Tables, load: Load, { crashesMax }: { crashesMax: number }): void {
  for (const { email, signUpId, codes, verifyAsked } of load.accounts.values()) {
    const mail = mails.find((one) => one.email_canonical === email)
    if (signUpId === undefined && mail === undefined) continue
    assert.ok(mail, `no mail for ${email}`)
    const { state, crashes } = mail
    const told = `${codes.length} copies for ${email}, ${state} after ${crashes} crashes`
    assert.ok(codes.length <= Math.min(1 + crashes, CRASHES_MAX), told)
    assert.ok(codes.length >= 1 || crashes === CRASHES_MAX, told)
    // By its first copy the code was used before another could be sent.
    const used = verifyAsked && state === 'dropped'
    assert.equal(state, crashes === CRASHES_MAX ? 'dead' : used ? 'dropped' : 'sent', told)
  }
  const crashes = mails.reduce((sum, mail) => sum + mail.crashes, 0)
  assert.ok(crashes <= crashesMax, `${crashes} crashes`)
}

/** I1, I4, I7 and I8 as the account's owner sees them. */
async function checkLife(url: string, account: Account): Promise<void> {
  const { email, codes, signUpId, verified, verifyAsked, refresh } = account
  assert.ok(new Set(codes).size <= 1, `two codes for one sign-up of ${email}`)
  if (signUpId === undefined) return

  // Whoever got no answer asks again: it works now, or it had worked.
  const again = await askPatiently(url, '/auth/verify', {
    email,
    code: codes[0],
    sign_up_id: signUpId,
  })
  if (verified) assert.equal(again.status, 400, `the code of ${email} worked twice`)
  else if (verifyAsked) assert.ok([200, 400].includes(again.status))
  else assert.equal(again.status, 200, `the code of ${email} is lost`)
  const loggedIn = await askPatiently(url, '/auth/login', { email, password: PASSWORD })
  assert.equal(loggedIn.status, 200, `${email} cannot log in`)

  if (refresh === undefined) return
  const successors = await Promise.all(
    [1, 2].map(() => askPatiently(url, '/auth/refresh', { refresh_token: refresh })),
  )
  // Within the grace of 30 s the crash signs nobody out; after it a lost answer ends the session.
  assert.ok(successors.every((answer) => answer.status === 200 || answer.status === 401))
  const live = successors.filter((answer) => answer.status === 200)
  assert.ok(new Set(live.map((answer) => answer.body.refresh_token)).size <= 1)
}

/** I1 to I4 in the tables, before the clients ask again. */
function checkTables({ users, signUps }: Tables, load: Load): void {
  const accounts = [...load.accounts.values()]
  const idsOf = new Map(users.map((user) => [user.email_canonical, user.id]))

  assert.equal(idsOf.size, users.length, 'two users of one address')
  for (const { email, signUpId } of accounts) if (signUpId) assert.ok(idsOf.has(email), email)
  for (const user of users) {
    const account = load.accounts.get(user.email_canonical)
    const pending = signUps.filter((signUp) => signUp.user_id === user.id)
    assert.ok(account, `${user.email_canonical} never signed up`)
    assert.equal(pending.length, user.verified_at === null ? 1 : 0, 'half a sign-up')
    assert.equal(user.password_hash !== null, user.verified_at !== null)
    if (account.verified)
      assert.ok(user.verified_at, `the verification of ${account.email} is lost`)
    if (user.verified_at) assert.ok(account.verifyAsked, `${account.email} was never verified`)
  }
  assert.ok(signUps.every((signUp) => users.some((user) => user.id === signUp.user_id)))
}

async function killAndCheck(url: string, fleet: Fleet): Promise<void> {
  const load = createLoad(CLIENTS)
  await killAgainAndAgain(url, load, fleet)
  const accounts = [...load.accounts.values()]
  assert.ok(accounts.filter(({ verified }) => verified).length >= KILLS, 'hardly anything happened')
}

type Tables = Awaited<ReturnType<typeof readTables>>
async function readTables(url: string) {
  const backend = await openDatabase(databaseUrl(url))
  try {
    const users = await backend.reader
      .selectFrom('users')
      .select(['id', 'email_canonical', 'verified_at', 'password_hash'])
      .execute()
    const signUps = await backend.reader.selectFrom('sign_ups').select(['id', 'user_id']).execute()
    const mails = await backend.reader
      .selectFrom('outbox')
      .select(['email_canonical', 'state', 'crashes'])
      .where('kind', '=', 'verification')
      .execute()
    return { users, signUps, mails }
  } finally {
    await backend.close()
  }
}

describe(
  `kill -9 during sign-ups, verifications and refreshes, ${KILLS} times`,
  { concurrency: 2 },
  () => {
    for (const [who, workers] of [
      ['of servers', 0],
      ['of servers and workers', 2],
    ] as const) {
      test(`on SQLite, ${who}, loses nothing acknowledged and leaves nothing half there`, async () => {
        using folder = temporaryFolder()
        await killAndCheck(`sqlite:///${folder.path}/app.db`, { standby: 0, workers })

        using database = new DatabaseSync(`${folder.path}/app.db`)
        assert.deepEqual(
          { ...database.prepare('pragma integrity_check').get() },
          { integrity_check: 'ok' },
        )
      })

      test(`on PostgreSQL, ${who}, with another replica, loses nothing and leaves nothing half there`, async () => {
        const server = process.env['TEST_POSTGRES_URL'] ?? ''
        const url = await createDatabase(server, `kill_${workers}`)
        await killAndCheck(url, { standby: 1, workers })
      })
    }
  },
)
