import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { createTurns, type EndTurn } from '../lib/turns.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { currentBudget, remainingMs, spend, takeTurn } from './budget.ts'
import { cancel } from './cancel.ts'
import { isStale, outage, unavailable } from './outages.ts'

export interface PoolOptions {
  /** Resolves to a connection that is ready for queries. */
  readonly open: () => Promise<pg.Client>
  /** The connections that the server has of this pool at any time. */
  readonly poolMax: number
  /** Of each statement outside a request; 0: nothing is given up. */
  readonly statementTimeoutMs: number
  readonly onIdleError?: ((error: Error) => void) | undefined
}

interface LentQuery extends pg.QueryConfig {
  /** It commits by itself. */
  readonly commits?: boolean
}

/** A connection for one caller, until it is released. Its waits are bounded, outages are `database_unavailable`. */
export interface Lent {
  query(query: string | LentQuery, values?: readonly unknown[]): Promise<any>
  /** Ends this connection and all earlier ones: they lead to a server that is demoted or gone. */
  retire(): void
  release(discard?: boolean): void
}

export interface Pool {
  connect(): Promise<Lent>
  /** Resolves when all connections have ended, or those in use have not come back within a second. */
  close(): Promise<void>
}

interface Member {
  readonly client: pg.Client
  /** Connections of an earlier era are not used again. */
  readonly era: number
  idleTimer?: NodeJS.Timeout
  isLost: boolean
}

/** The part of the pool that one caller may use at a time. */
const SHARE = 1 / 4
const COMMIT_LEAST_MS = SECOND_MS
const IDLE_MAX_MS = MINUTE_MS
/** A server that is alive ends an idle connection at once. */
const CLOSE_MAX_MS = SECOND_MS
/** A server that is alive ends a cancelled statement at once; one that does not is frozen or out of reach. */
const STUCK_AFTER_MS = 2 * SECOND_MS
const STUCK_MAX_MS = MINUTE_MS

/**
 * Connections to one server, which never has more of them than `poolMax`: what a caller gives up is
 * cancelled there, and keeps its place until the server has ended it. pg's own pool frees the place at
 * once. Measured: a locked table held 19 connections of a pool of four.
 */
export function createPool(options: PoolOptions): Pool {
  const { open, poolMax, statementTimeoutMs, onIdleError } = options
  const turns = createTurns({ slots: poolMax, runningMax: Math.ceil(poolMax * SHARE) })
  /** The newest is last, and used first. */
  const idle: Member[] = []
  const closing = new Set<Promise<void>>()
  const givenUp = new Set<pg.Client>()
  /** Of those, the ends of the ones that were replaced. */
  const stuck = new Set<Promise<void>>()
  let era = 0
  let closed = false

  /** Waits for the caller's turn first, so that no caller holds the whole pool. */
  async function connect(): Promise<Lent> {
    const outsideMs = statementTimeoutMs || DAY_MS
    const endTurn = await takeTurn(turns, currentBudget()?.caller, { outsideMs })
    const kept = idle.pop()
    if (kept !== undefined) return lend(kept, endTurn)
    const opening = openMember()
    let abandoned = false
    try {
      return lend(await bounded(opening, () => (abandoned = true)), endTurn)
    } catch (error) {
      // A connection that is established after its request has given up joins the idle ones.
      if (abandoned) void opening.then(keep, () => {}).finally(endTurn)
      else endTurn()
      throw unavailable(error)
    }
  }
  async function openMember(): Promise<Member> {
    // Each holder of a turn has a connection, or is about to. Those that are closing still count.
    while (poolMax - turns.free() + closing.size > poolMax) {
      await Promise.race(closing)
      const kept = idle.pop()
      if (kept !== undefined) return kept
    }
    const born = era
    const client = await open()
    const member: Member = { client, era: born, isLost: false }
    // Without listeners, a connection that is lost between two queries would end the process.
    client.on('error', (error) => lose(member, error))
    client.on('end', () => lose(member))
    return member
  }
  function lose(member: Member, error?: Error): void {
    member.isLost = true
    if (endIdle(member) && error !== undefined) onIdleError?.(unavailable(error))
  }
  function keep(member: Member): void {
    if (closed || member.isLost || member.era < era) return close(member)
    idle.push(member)
    // One for all its life: a new one at each return would cost 2.5 µs a query.
    member.idleTimer =
      member.idleTimer?.refresh() ?? setTimeout(endIdle, IDLE_MAX_MS, member).unref()
  }
  /** False while the connection is lent. */
  function endIdle(member: Member): boolean {
    const at = idle.indexOf(member)
    if (at < 0) return false
    idle.splice(at, 1)
    close(member)
    return true
  }
  function close({ client, idleTimer }: Member): void {
    clearTimeout(idleTimer)
    const ended = endWithin(CLOSE_MAX_MS, client, client.end())
    closing.add(ended)
    void ended.finally(() => closing.delete(ended))
  }
  function retire(member: Member): void {
    if (member.era < era) return
    era++
    for (const other of idle.splice(0)) close(other)
  }
  /**
   * Resolves when the server has ended the connection, whose statement still runs there. While it is stuck,
   * as many as the pool has are replaced, so that a server that lost them serves again, and no more, so
   * that one that keeps them is not filled. A cancelled commit would be visible before its synchronous
   * standby has it, and could be lost after others have relied on it.
   */
  async function abandon(
    member: Member,
    { running, commits }: { running: Promise<unknown>; commits: boolean },
  ): Promise<void> {
    const { client } = member
    givenUp.add(client)
    if (!commits) cancel(client).catch(() => retire(member))
    let isGone = false
    const end = () => client.end()
    const ended = endWithin(STUCK_MAX_MS, client, running.then(end, end)).then(() => {
      isGone = true
      givenUp.delete(client)
      stuck.delete(ended)
    })
    await Promise.race([ended, delay(STUCK_AFTER_MS, undefined, { ref: false })])
    while (!isGone && stuck.size >= poolMax) await Promise.race([ended, ...stuck])
    if (!isGone) stuck.add(ended)
  }
  function lend(member: Member, endTurn: EndTurn): Lent {
    let isLent = true
    return {
      async query(query, values) {
        if (!isLent) throw unavailable(new Error('connection terminated'))
        // An interrupted commit may have succeeded: none starts late, and each has time to finish.
        const commits = typeof query === 'string' ? query === 'commit' : query.commits === true
        if (commits && remainingMs() <= 0) throw unavailable(new Error('connection terminated'))
        const running = send(member.client, query, values)
        const giveUp = () => {
          isLent = false
          void abandon(member, { running, commits }).finally(endTurn)
        }
        try {
          return await bounded(running, giveUp, commits ? COMMIT_LEAST_MS : 0)
        } catch (error) {
          if (isStale(error)) retire(member)
          // Of a bug: who asked, instead of the socket that brought the answer.
          if (error instanceof pg.DatabaseError) Error.captureStackTrace(error)
          throw outage(error)
        }
      },
      retire: () => retire(member),
      release(discard = false) {
        if (!isLent) return
        isLent = false
        if (discard) close(member)
        else keep(member)
        endTurn()
      },
    }
  }
  function bounded<T>(operation: Promise<T>, giveUp: () => void, leastMs = 0): Promise<T> {
    if (statementTimeoutMs === 0) return operation
    return spend(operation, giveUp, { leastMs, outsideMs: statementTimeoutMs })
  }

  /** Whoever holds a turn has a connection. */
  async function allReturned(): Promise<void> {
    for (let place = 0; place < poolMax; place++) await turns.enter()?.turn
  }

  return {
    connect,
    async close() {
      closed = true
      for (const member of idle.splice(0)) close(member)
      await Promise.race([allReturned(), delay(CLOSE_MAX_MS, undefined, { ref: false })])
      await Promise.all(closing)
      for (const client of givenUp) client.connection.stream.destroy()
    },
  }
}

/**
 * Not the promise that pg returns: what it resolves to outlives two collections of garbage, which then cost a fifth of
 * a page of users.
 */
function send(
  client: pg.Client,
  query: Parameters<Lent['query']>[0],
  values: Parameters<Lent['query']>[1],
): Promise<any> {
  return new Promise((resolve, reject) =>
    client.query(query as string, values as unknown[], (error: Error | null, result) =>
      error === null || error === undefined ? resolve(result) : reject(error),
    ),
  )
}

/** Cuts a connection that the server has not `ended` in time; it answers a goodbye when its process is gone. */
async function endWithin(
  limitMs: number,
  client: pg.Client,
  ended: Promise<unknown>,
): Promise<void> {
  await Promise.race([ended.catch(() => {}), delay(limitMs, undefined, { ref: false })])
  client.connection.stream.destroy()
}
