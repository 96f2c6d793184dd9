import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Flood, sendAtOnce } from '../support/login-flood.ts'
import { times } from '../support/races.ts'
import { startServer } from '../support/server-process.ts'
import { ADMIN } from '../support/settings.ts'
import { temporaryFolder } from '../support/process.ts'

const LOGINS = 2000
const ME_P99_MAX_MS = 100
/** Measured: 204 MB, of which 110 MB before the flood. */
const RSS_MAX_MB = 300
const BACK_TO_NORMAL_MS = 2000
const ASK_EVERY_MS = 5
/** On a machine that is slow or busy: so many times what as many requests for nothing cost it. */
const ME_P99_MAX_RATIO = 1.5
/** What disturbs this machine makes a run slower, never faster: the best of so many counts. */
const RUNS_MAX = 5

/** As in production: nothing is cheap. */
const SETTINGS = {
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_PASSES: '2',
  HASH_QUEUE: '32',
  RATE_LIMIT: 'off',
}

interface Run {
  readonly p99Ms: number
  /** The same while as many ask for `/health`: what a machine does with so many connections. */
  readonly idleP99Ms: number
  readonly loginAfterMs: number
  readonly rssMb: number
}

async function flood(): Promise<Run> {
  using folder = temporaryFolder()
  const DATABASE_URL = `sqlite:///${folder.path}/app.db`
  await using server = await startServer({ ...SETTINGS, ...ADMIN, DATABASE_URL })
  const right = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }
  const token = (await logIn(server.url, right)).token
  const agent = new Agent({ keepAlive: true })
  for (let n = 0; n < 50; n++) await timeMe(server.url, token, agent)

  const wrong = (n: number) => ({ email: `nobody${n}@example.com`, password: 'not it, sorry' })
  // Few right ones: the twenty-first session would end the one that asks.
  const logins = times(LOGINS).map((n) => (n % 200 === 0 ? right : wrong(n)))
  const timeOne = () => timeMe(server.url, token, agent)
  const idle = await timeDuring({ url: server.url, logins: times(LOGINS).map(() => null) }, timeOne)
  const { p99Ms } = await timeDuring({ url: server.url, logins }, timeOne)
  const overAt = performance.now()
  const { status } = await logIn(server.url, right)
  const loginAfterMs = performance.now() - overAt
  agent.destroy()
  assert.equal(status, 200)
  return { p99Ms, idleP99Ms: idle.p99Ms, loginAfterMs, rssMb: peakRssMb(server.pid) }
}

/** Lets a thread send all at once, and times one request after the other meanwhile. */
async function timeDuring(flood: Flood, timeOne: () => Promise<number>) {
  let over = false
  const flooding = sendAtOnce(flood).finally(() => (over = true))
  const askedMs: number[] = []
  while (!over) {
    askedMs.push(await timeOne())
    await Promise.race([delay(ASK_EVERY_MS), flooding])
  }
  await flooding
  const sorted = askedMs.toSorted((a, b) => a - b)
  return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Infinity }
}

const isFine = ({ p99Ms, idleP99Ms }: Run) =>
  p99Ms <= Math.max(ME_P99_MAX_MS, ME_P99_MAX_RATIO * idleP99Ms)

test(`${LOGINS} logins at once slow nobody else, and cost little memory`, async (t) => {
  const runs: Run[] = []
  do runs.push(await flood())
  while (runs.length < RUNS_MAX && !runs.some(isFine))

  for (const { p99Ms, idleP99Ms, loginAfterMs, rssMb } of runs) {
    t.diagnostic(
      `/me p99 ${p99Ms} ms (${idleP99Ms} beside requests for nothing), then ${loginAfterMs} ms, ${rssMb} MB`,
    )
    assert.ok(rssMb <= RSS_MAX_MB, `${rssMb} MB`)
    assert.ok(loginAfterMs <= BACK_TO_NORMAL_MS, `${loginAfterMs} ms`)
  }
  assert.ok(runs.some(isFine), `p99 of /me: ${runs.map(({ p99Ms }) => p99Ms).join(', ')} ms`)
})

async function logIn(url: string, login: { email: string; password: string }) {
  const answer = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login),
  })
  const body = (await answer.json()) as { access_token: string }
  return { status: answer.status, token: body.access_token }
}

/** Milliseconds until `GET /me` was answered whole. */
function timeMe(url: string, token: string, agent: Agent): Promise<number> {
  const startedAt = performance.now()
  const headers = { authorization: `Bearer ${token}` }
  return new Promise((heard, failed) => {
    const asked = get(`${url}/me`, { headers, agent }, (answer) => {
      assert.equal(answer.statusCode, 200)
      answer.resume().once('end', () => heard(performance.now() - startedAt))
    })
    asked.once('error', failed)
  })
}

function peakRssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024)
}
