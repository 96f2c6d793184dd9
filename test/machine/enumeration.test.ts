import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { toIso } from '../../server/lib/units.ts'
import { createMemoryMailer, createMemorySms } from '../support/memory-senders.ts'
import { createDatabase } from '../support/cluster.ts'
import { TEMPLATE } from '../support/database.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { times } from '../support/races.ts'
import { FORGOT } from '../support/resets.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'

const SAMPLES = 500
const WARM_UP = 50
const MEDIANS_MAX_APART = 0.05
/** Of guessing which is which by the time of one answer; 0.5 is a coin. */
const AUC_MAX_FROM_COIN = 0.05
/**
 * Two samples of 500 of one and the same thing differ by more than that once in 160 times, and a busy
 * machine disturbs them. A difference that is there shows each time.
 */
const TRIES_MAX = 5

/** Hashes as in production; without limits, which would answer most of it. */
const SETTINGS: Record<string, string> = {
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_PASSES: '2',
  RATE_LIMIT: 'off',
  LOG_LEVEL: 'error',
}
const ADDRESSES = 20
const known = (n: number) => `known-${String(n).padStart(4, '0')}@example.com`
const pending = (n: number) => `await-${String(n).padStart(4, '0')}@example.com`
const unknown = (n: number) => `never-${String(n).padStart(4, '0')}@example.com`

interface Question {
  readonly name: string
  readonly url: string
  readonly known: (n: number) => object
  readonly unknown: (n: number) => object
}
const wrongPassword = { password: 'not it, sorry' }
const questions: readonly Question[] = [
  {
    name: 'login',
    url: '/api/v1/auth/login',
    known: (n) => ({ email: known(n % ADDRESSES), ...wrongPassword }),
    unknown: (n) => ({ email: unknown(n % ADDRESSES), ...wrongPassword }),
  },
  {
    name: 'forgot',
    url: FORGOT,
    known: (n) => ({ email: known(n % ADDRESSES) }),
    unknown: (n) => ({ email: unknown(n % ADDRESSES) }),
  },
  {
    name: 'resend',
    url: '/api/v1/auth/verify/resend',
    known: (n) => ({ email: pending(n % ADDRESSES) }),
    unknown: (n) => ({ email: unknown(n % ADDRESSES) }),
  },
  {
    // Each address once: after five wrong codes none is looked at any more.
    name: 'verify',
    url: '/api/v1/auth/verify',
    known: (n) => ({ email: pending(n), code: '000000' }),
    unknown: (n) => ({ email: unknown(n), code: '000000' }),
  },
]

/** With HIDE_REGISTERED_EMAILS; each address once, for the sixth is refused. */
const signUp: Question = {
  name: 'sign-up',
  url: '/api/v1/auth/signup',
  known: (n) => ({ email: known(n), password: PASSWORD }),
  unknown: (n) => ({ email: unknown(n), password: PASSWORD }),
}

const on = {
  sqlite: (settings = SETTINGS) => startService(settings),
  async postgres(settings = SETTINGS, name = 'enumeration') {
    const server = process.env['TEST_POSTGRES_URL'] ?? ''
    const databaseUrl = await createDatabase(server, name, TEMPLATE)
    const clock = { nowMs: Date.UTC(2026, 0, 1, 12) }
    const shared = { databaseUrl, clock, mailer: createMemoryMailer(), sms: createMemorySms() }
    return startService(settings, { replicaOf: shared })
  },
}

for (const [database, start] of Object.entries(on)) {
  describe(`known and unknown addresses on ${database}`, () => {
    test('are told apart neither by what is answered nor by when', async (t) => {
      await using service = await start()
      for (const n of times(ADDRESSES)) await service.addUser(known(n))
      const used = SAMPLES * TRIES_MAX + WARM_UP
      for (let n = 0; n < used; n += 10)
        await Promise.all(times(10).map((more) => service.signUp(pending(n + more))))

      for (const question of questions) await assertAlike(service, question, t)
    })

    test('nor by a sign-up, with HIDE_REGISTERED_EMAILS', async (t) => {
      await using service = await start({ ...SETTINGS, HIDE_REGISTERED_EMAILS: 'true' }, 'hidden')
      await register(service, SAMPLES * TRIES_MAX + WARM_UP)

      await assertAlike(service, signUp, t)
    })
  })
}

/** Straight in the database: these many by the API take longer than all the rest. */
async function register({ ctx, clock }: Service, count: number): Promise<void> {
  const now = toIso(clock.nowMs)
  await ctx.transaction(async (tx) => {
    for (const n of times(count)) {
      const user = { email: known(n), email_canonical: known(n), role: 'user' as const }
      const verified = { password_hash: 'none', password_changed_at: now, verified_at: now }
      const row = { ...user, ...verified, created_at: now, updated_at: now }
      await tx.insertInto('users').values(row).execute()
    }
  })
}

async function assertAlike(service: Service, question: Question, t: TestContext): Promise<void> {
  const seen = new Set<string>()
  await ask(service, question, { first: SAMPLES * TRIES_MAX, count: WARM_UP, seen })
  let alike = false
  for (let tried = 0; tried < TRIES_MAX && !alike; tried++) {
    const first = tried * SAMPLES
    const { known: ours, unknown: others } = await ask(service, question, {
      first,
      count: SAMPLES,
      seen,
    })
    const [a, b] = [median(ours), median(others)]
    const apart = Math.abs(a - b) / Math.min(a, b)
    const auc = probabilityOfMore(ours, others)
    t.diagnostic(
      `${question.name}: medians ${a.toFixed(3)} and ${b.toFixed(3)} ms, AUC ${auc.toFixed(3)}`,
    )
    alike = apart <= MEDIANS_MAX_APART && Math.abs(auc - 0.5) < AUC_MAX_FROM_COIN
  }
  assert.ok(alike, `${question.name} takes another time for a known address`)
  assert.equal(seen.size, 1, [...seen].join('\n'))
}

/** One known and one unknown address after the other, in turns, each first as often as the other. */
async function ask(
  service: Service,
  question: Question,
  { first, count, seen }: { first: number; count: number; seen: Set<string> },
) {
  const taken = { known: [] as number[], unknown: [] as number[] }
  for (let n = first; n < first + count; n++) {
    const order = n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const kind of order) {
      const body = question[kind](n)
      const startedAt = performance.now()
      const answer = await service.post(question.url, body)
      taken[kind].push(performance.now() - startedAt)
      seen.add(masked(answer))
    }
  }
  return taken
}

/** Without what a sign-up answers to everybody: the address that was sent, and the id of the attempt. */
function masked(answer: Answer): string {
  return fingerprint(answer)
    .replace(/[a-z]+-[0-9]{4}@example\.com/, '<email>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '<sign-up>')
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** How often one of `a` is more than one of `b` (Mann and Whitney): the area under the ROC curve. */
function probabilityOfMore(a: readonly number[], b: readonly number[]): number {
  let more = 0
  for (const one of a) for (const other of b) more += one > other ? 1 : one === other ? 0.5 : 0
  return more / (a.length * b.length)
}
