import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/lib/setting-types.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import { createDatabase, startCluster } from '../support/cluster.ts'
import { type Account, ask, createLoad, type Load } from '../support/kill-load.ts'
import { PASSWORD } from '../support/service.ts'
import { startServer, startWorkerProcess } from '../support/server-process.ts'

/** Set it higher for a night of kills. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 20)
const CLIENTS = 6
const MAIL_PATIENCE_MS = 20 * SECOND_MS
/** One more for each kill between the printing of a mail and its settlement; the third is the last. */
const COPIES_MAX = 3
/** To be met by two kills in these few milliseconds is a rare misfortune. */
const TWICE_MET_MAX = 2

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
  const start = () => startServer(settings, load.hear)
  const startWorker = () => startWorkerProcess(settings, load.hear)
  const servers = await Promise.all(Array.from({ length: fleet.standby + 1 }, start))
  const workers = await Promise.all(Array.from({ length: fleet.workers }, startWorker))
  let next = 0
  let over = false
  const loading = load.run(
    () => servers[next++ % Math.max(1, servers.length)]?.url ?? 'http://127.0.0.1:1',
    () => over,
  )
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      // Early and late in what a server does after its start; it has to be real time.
      await delay(100 + Math.random() * 700)
      await Promise.all([servers.shift()?.kill(), workers.shift()?.kill()])
      servers.push(await start())
      if (fleet.workers > 0) workers.push(await startWorker())
    }
    over = true
    await loading
    await allMailed(load)
    await checkTables(url, load)
    for (const account of load.accounts.values()) await checkLife(servers[0]?.url ?? '', account)
  } finally {
    over = true
    await Promise.allSettled([loading, ...[...servers, ...workers].map((one) => one.kill())])
  }
}

/** I8: every acknowledged sign-up gets its code, though the process that took it was killed. */
async function allMailed(load: Load): Promise<void> {
  const deadline = performance.now() + MAIL_PATIENCE_MS
  const waiting = () =>
    [...load.accounts.values()].filter(({ signUpId, codes }) => signUpId && codes.length === 0)
  while (waiting().length > 0 && performance.now() < deadline) await delay(50)
  assert.deepEqual(
    waiting().map(({ email }) => email),
    [],
  )
  // A copy that is still on its way would come now.
  await delay(3 * SECOND_MS)
}

/** I1, I4, I7 and I8 as the account's owner sees them. */
async function checkLife(url: string, account: Account): Promise<void> {
  const { email, codes, signUpId, verified, verifyAsked, refresh } = account
  assert.ok(codes.length <= COPIES_MAX, `${codes.length} copies for ${email}`)
  assert.ok(new Set(codes).size <= 1, `two codes for one sign-up of ${email}`)
  if (signUpId === undefined) return

  // Whoever got no answer asks again: it works now, or it had worked.
  const again = await ask(url, '/auth/verify', { email, code: codes[0], sign_up_id: signUpId })
  if (verified) assert.equal(again?.status, 400, `the code of ${email} worked twice`)
  else if (verifyAsked) assert.ok([200, 400].includes(again?.status ?? 0))
  else assert.equal(again?.status, 200, `the code of ${email} is lost`)
  const loggedIn = await ask(url, '/auth/login', { email, password: PASSWORD })
  assert.equal(loggedIn?.status, 200, `${email} cannot log in`)

  if (refresh === undefined) return
  const successors = await Promise.all(
    [1, 2].map(() => ask(url, '/auth/refresh', { refresh_token: refresh })),
  )
  // Within the grace of 30 s the crash signs nobody out; after it a lost answer ends the session.
  assert.ok(successors.every((answer) => answer?.status === 200 || answer?.status === 401))
  const live = successors.filter((answer) => answer?.status === 200)
  assert.ok(new Set(live.map((answer) => answer?.body.refresh_token)).size <= 1)
}

/** I1 to I4 in the tables, before the clients ask again. */
async function checkTables(url: string, load: Load): Promise<void> {
  const { users, signUps } = await readTables(url)
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
  const twiceMet = accounts.filter(({ codes }) => codes.length === COPIES_MAX)
  assert.ok(twiceMet.length <= TWICE_MET_MAX, `${twiceMet.length} mails with three copies`)
}

async function readTables(url: string) {
  const backend = await openDatabase(databaseUrl(url))
  try {
    const users = await backend.reader
      .selectFrom('users')
      .select(['id', 'email_canonical', 'verified_at', 'password_hash'])
      .execute()
    const signUps = await backend.reader.selectFrom('sign_ups').select(['id', 'user_id']).execute()
    return { users, signUps }
  } finally {
    await backend.close()
  }
}

describe(`kill -9 during sign-ups, verifications and refreshes, ${KILLS} times`, () => {
  for (const [who, workers] of [
    ['of servers', 0],
    ['of servers and workers', 2],
  ] as const) {
    test(`on SQLite, ${who}, loses nothing acknowledged and leaves nothing half there`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-kill-'))
      try {
        await killAndCheck(`sqlite:///${join(folder, 'app.db')}`, { standby: 0, workers })

        using database = new DatabaseSync(join(folder, 'app.db'))
        assert.deepEqual(
          { ...database.prepare('pragma integrity_check').get() },
          { integrity_check: 'ok' },
        )
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    test(`on PostgreSQL, ${who}, with another replica, loses nothing and leaves nothing half there`, async () => {
      const cluster = await startCluster({ durable: true })
      try {
        await killAndCheck(await createDatabase(cluster.url, 'kill'), { standby: 1, workers })
      } finally {
        await cluster.stop()
      }
    })
  }
})
