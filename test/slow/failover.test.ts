import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SECOND_MS } from '../../server/lib/units.ts'
import { createDatabase } from '../support/cluster.ts'
import {
  assertFineOr503,
  assertKept,
  type Customers,
  HEALED_AFTER,
  isFine,
  newest,
  ROUTES,
  type Seen,
  send,
  startCustomers,
  underLoad,
} from '../support/outage.ts'
import { LONG } from '../support/long.ts'
import { firstWrite, type Patroni, startPatroni } from '../support/patroni.ts'
import { absent } from '../support/programs.ts'
import { until } from '../support/until.ts'

/** Until a request of each kind is served, since the new primary took its first write; longer on a busy machine. */
const BACK_MAX_MS = (LONG ? 3 : 60) * SECOND_MS
/** Messages that two processes may have had in hand at the fail-overs: each may be sent once more. */
const SENT_TWICE_MAX = 32

const skip = absent('patroni', 'etcd', 'haproxy')

describe('a synchronous standby takes over, under Patroni', { skip }, () => {
  let patroni: Patroni
  /** Two replicas: over the list of all hosts, and over haproxy. */
  let replicas: readonly [Customers, Customers]
  before(async () => {
    patroni = await startPatroni()
    const { primary } = await patroni.settled()
    await createDatabase(patroni.nodeUrl(primary, ''), 'shop')
    replicas = [
      await startCustomers(`${patroni.url('shop')}?target_session_attrs=read-write`),
      await startCustomers(patroni.proxyUrl('shop'), 'neighbour@example.com'),
    ]
  })
  after(async () => {
    for (const replica of replicas ?? []) await replica[Symbol.asyncDispose]()
    await patroni?.[Symbol.asyncDispose]()
  })

  /** Resolves to what was answered on each replica while another node took over, and a while after. */
  async function around(
    t: TestContext,
    takeOver: () => Promise<Awaited<ReturnType<Patroni['killPrimary']>>>,
  ): Promise<Seen[]> {
    await patroni.settled()
    const seen: readonly [Seen[], Seen[]] = [[], []]
    const served = (since: number, count: number) => () =>
      seen.every((own) =>
        ROUTES.every((route) => {
          const answers = newest(own, route, since)
          return answers.length >= count && answers.every(isFine)
        }),
      )
    const { promise: over, resolve: finish } = Promise.withResolvers<void>()
    const loads = replicas.map((replica, at) =>
      Promise.all([
        underLoad(replica, seen[at] ?? [], () => over),
        refreshUntil(replica, over, seen[at] ?? []),
      ]),
    )
    try {
      await until('service before', served(0, 1))
      const primary = await takeOver()
      const writtenAt = await firstWrite(patroni.nodeUrl(primary, 'shop'))
      await until('service after', served(writtenAt, HEALED_AFTER))
      for (const own of seen)
        for (const route of ROUTES) {
          const back = own.find(
            (answer) => answer.route === route && isFine(answer) && answer.answeredAt >= writtenAt,
          )
          const backMs = Math.round((back?.askedAt ?? Infinity) - writtenAt)
          t.diagnostic(`${route}: asked for ${backMs} ms after the first write, and served`)
          assert.ok(backMs <= BACK_MAX_MS, `${route} was back only after ${backMs} ms`)
        }
      return seen.flat()
    } finally {
      finish()
      await Promise.allSettled(loads)
    }
  }

  for (const [what, takeOver] of [
    ['is switched over to it', () => patroni.switchOver()],
    ['is killed', () => patroni.killPrimary()],
  ] as const) {
    test(`2xx or 503 while the primary ${what}, 2xx within ${BACK_MAX_MS / SECOND_MS} s of its first write, nothing lost, no restart`, async (t) => {
      const seen = await around(t, takeOver)

      assertFineOr503(seen)
      await assertKept(patroni.proxyUrl('shop'), seen)
      for (const { server } of replicas)
        assert.equal((await send(server, 'GET /ready')).status, 200)
      await assertMailed(seen, replicas)
    })
  }
})

/** Refreshes a session again and again, as a client does: after a 503 with the same token. */
async function refreshUntil(
  { server, visitor }: Customers,
  over: Promise<void>,
  seen: Seen[],
): Promise<void> {
  const { body } = await send(server, 'POST /auth/login', { body: visitor })
  let refresh_token = body.refresh_token
  let isOver = false
  void over.then(() => (isOver = true))
  while (!isOver) {
    const answer = await send(server, 'POST /auth/refresh', { body: { refresh_token } })
    seen.push(answer)
    if (isFine(answer)) refresh_token = answer.body.refresh_token
    await delay(10)
  }
}

/** Each sign-up that was acknowledged has its mail; few have two. */
async function assertMailed(seen: readonly Seen[], replicas: readonly Customers[]): Promise<void> {
  const signUps = seen.filter(({ status }) => status === 201)
  const codes = () =>
    replicas
      .flatMap(({ server }) => server.lines)
      .flatMap((line) => /code for (\S+): \d{6}/.exec(line)?.[1] ?? [])
  await until('all mails', () => {
    const mailed = new Set(codes())
    return signUps.every(({ body }) => mailed.has(body.email))
  })
  const twice = codes().length - new Set(codes()).size
  assert.ok(twice <= SENT_TWICE_MAX, `${twice} mails were sent twice`)
}
