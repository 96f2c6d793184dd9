import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { type Claim, claimMessage } from './claims.ts'
import { findErased } from './forget.ts'
import { hastenUnconfirmed, type Outcome, writeOutcome } from './outcomes.ts'
import type { Channel, Kinds, Sender, Work } from './kind.ts'
import { createLatenessAlarm } from './lateness.ts'
import { createPause, PAUSE_MIN_MS } from './pause.ts'
import { createQuota } from './quota.ts'
import { afterFault, type Fault } from './retries.ts'
import { MissingKeyError } from '../keys/key-ring.ts'
import { createPacer } from '../lib/pacer.ts'
import { DeliveryError } from './transports/delivery-error.ts'

interface Addressed {
  readonly to: string
}
/** A channel with its sender and its kinds of message. */
export interface Route<Message extends Addressed = Addressed> {
  readonly channel: Channel
  readonly sender: Sender<Message>
  readonly kinds: Kinds<Message>
}

/** The delivery of one channel, which pauses after transport faults. */
export interface Delivery {
  readonly channel: Channel
  /** The rest of the transport's pause, or 0. */
  pausedMs(): number
  /** True while nothing may be claimed: the transport pauses, or a probe is pending. */
  isHeld(): boolean
  /** Claims the message whose turn it is; undefined if none is due, or while `isHeld`. */
  claim(options: { readonly woken: boolean }): Promise<Claim | undefined>
  /** Composes the message, sends it and writes its outcome. Never throws. */
  deliver(claim: Claim): Promise<void>
}

/** The interval of attempts to write the outcome of a sent message. */
const WRITE_RETRY_MS = SECOND_MS
const ERROR_MAX_LENGTH = 200
const KEY_ALARM_EVERY_MS = MINUTE_MS

export function createDelivery<Message extends Addressed>(
  ctx: Context,
  route: Route<Message>,
): Delivery {
  let round = 0
  const shared: Shared = {
    ctx,
    route,
    pause: createPause(ctx.now),
    quota: createQuota(ctx, route),
    isKeyAlarmDue: createPacer(ctx.now, KEY_ALARM_EVERY_MS),
    warnIfLate: createLatenessAlarm(ctx, route.channel),
    active: new Set<Claim>(),
    nextRound: () => round++,
  }
  return {
    channel: route.channel,
    pausedMs: shared.pause.remainingMs,
    isHeld: () => isHeld(shared),
    claim: (options) => claim(shared, options),
    deliver: (claimed) => deliver(shared, claimed),
  }
}

interface Shared {
  readonly ctx: Context
  readonly route: Route
  readonly pause: ReturnType<typeof createPause>
  readonly quota: ReturnType<typeof createQuota>
  readonly warnIfLate: ReturnType<typeof createLatenessAlarm>
  readonly isKeyAlarmDue: () => boolean
  /** The claims of this process. */
  readonly active: Set<Claim>
  /** Numbers the claims of this process. */
  readonly nextRound: () => number
}

/** The outcome of a message, and work for the same transaction. */
interface Ending {
  readonly outcome: Outcome
  readonly work?: Work | undefined
}

/** Another worker has claimed the message; the transaction is rolled back. */
class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError'
}

/** After a fault, one message at a time probes the transport: if it hangs, only one copy is at risk. */
function isHeld({ pause, active }: Shared): boolean {
  return pause.remainingMs() > 0 || (pause.inDoubt() && active.size > 0)
}

async function claim(shared: Shared, { woken }: { woken: boolean }): Promise<Claim | undefined> {
  if (isHeld(shared)) return undefined
  const { ctx, route, pause, quota, active, nextRound } = shared
  const kinds = await quota.kinds()
  // A message that breaks the transport must not probe each time: once tried, it is due later than others.
  const round = pause.inDoubt() ? undefined : nextRound()
  const claimed = await ctx.transaction(async (tx) => {
    const options = {
      channel: route.channel,
      kinds,
      nowMs: ctx.now(),
      claimMs: route.sender.timeoutMs,
      woken,
      round,
      // A process holds at most one message during which a worker ended, so that a crash is attributed
      // to the right one.
      unsuspected: [...active].some(({ crashes }) => crashes > 0),
    }
    const probe = pause.inDoubt() && (await claimMessage(tx, { ...options, uncopied: true }))
    return probe || claimMessage(tx, options)
  })
  if (claimed !== undefined) {
    active.add(claimed)
    quota.take(claimed.kind)
  }
  return claimed
}

async function deliver(shared: Shared, claimed: Claim): Promise<void> {
  const { ctx, active } = shared
  try {
    await shared.warnIfLate(claimed)
    const made = await make(shared, claimed)
    if ('outcome' in made) await write(ctx, claimed, made)
    else await writeWhileClaimed(ctx, claimed, await send(shared, claimed, made.message))
  } catch (error) {
    if (error instanceof ClaimLostError) {
      ctx.log.warn(named(claimed), 'claim lost to another worker')
    } else {
      // The message is retried when its claim expires.
      ctx.log.error({ err: error, ...named(claimed) }, 'cannot write the outcome of a message')
    }
  } finally {
    active.delete(claimed)
  }
}

/** Composes the message, or returns the ending of one that is obsolete or cannot be composed. */
async function make(shared: Shared, claimed: Claim): Promise<{ message: Addressed } | Ending> {
  const { ctx, route } = shared
  let made: Addressed | Work | undefined
  try {
    // The job that drops these messages may not have reached this one, or not run yet.
    const isErased = (await findErased(ctx.db, [claimed.id])).size > 0
    if (!isErased)
      made = await route.kinds[claimed.kind]?.make(ctx, JSON.parse(claimed.payload) as never)
  } catch (error) {
    if (error instanceof MissingKeyError) return { outcome: withoutKey(shared, claimed, error) }
    return { outcome: failed(ctx, claimed, error) }
  }
  const nowMs = ctx.now()
  if (made === undefined) return { outcome: { state: 'dropped', nowMs } }
  if (typeof made === 'function') return { outcome: { state: 'dropped', nowMs }, work: made }
  // The claim has expired, so another process may hold the message.
  if (nowMs >= claimed.untilMs) {
    const retry = afterFault('stale', claimed, { nowMs })
    return { outcome: { ...retry, nowMs, error: 'its claim expired before it was sent' } }
  }
  return { message: made }
}

async function send(
  { ctx, route, pause }: Shared,
  claimed: Claim,
  message: Addressed,
): Promise<Ending> {
  const { to: recipient } = message
  try {
    await route.sender.send(message, claimed.id)
  } catch (error) {
    const isTransport = error instanceof DeliveryError && error.fault === 'transport'
    const isKnown = isTransport && !pause.extend() && !error.unconfirmed
    const pauseMs = Math.max(PAUSE_MIN_MS, pause.remainingMs())
    return { outcome: failed(ctx, claimed, error, { recipient, pauseMs, isKnown }) }
  }
  const recovered = pause.inDoubt()
  pause.end()
  const nowMs = ctx.now()
  return {
    outcome: { state: 'sent', nowMs, recipient },
    work: recovered ? (tx) => hastenUnconfirmed(tx, route.channel, nowMs) : undefined,
  }
}

/** Writes the outcome and its work in one transaction. Throws ClaimLostError. */
async function write(ctx: Context, claimed: Claim, { outcome, work }: Ending): Promise<void> {
  await ctx.transaction(async (tx) => {
    // Before the message's row, in the lock order of a deletion: the user first.
    await work?.(tx)
    if (!(await writeOutcome(tx, claimed, outcome))) throw new ClaimLostError()
  })
  if (work !== undefined) ctx.wakeMail()
}

/** Retries the write until the claim expires: a message whose outcome is lost is sent twice. */
async function writeWhileClaimed(ctx: Context, claimed: Claim, ending: Ending): Promise<void> {
  const endsAt = performance.now() + claimed.untilMs - ctx.now()
  for (;;) {
    try {
      return await write(ctx, claimed, ending)
    } catch (error) {
      if (error instanceof ClaimLostError || performance.now() + WRITE_RETRY_MS >= endsAt)
        throw error
      await delay(WRITE_RETRY_MS)
    }
  }
}

/** Dropping the message would lose the codes of all processes because one was not restarted. */
function withoutKey(
  { ctx, isKeyAlarmDue }: Shared,
  claimed: Claim,
  { keyId }: MissingKeyError,
): Outcome {
  const nowMs = ctx.now()
  if (isKeyAlarmDue()) {
    ctx.log.error(
      { missing_key_id: keyId, key_ids: ctx.keys.all.map(({ id }) => id), ...named(claimed) },
      'messages wait for a key that this process lacks: SECRET_KEY_PREVIOUS was removed too early, or this process was not restarted with the keys of the others',
    )
  }
  return {
    ...afterFault('key', claimed, { nowMs }),
    nowMs,
    error: 'its key is missing in a worker',
  }
}

interface FailedSending {
  readonly recipient?: string
  readonly pauseMs?: number
  /** A message that failed before has told of this outage. */
  readonly isKnown?: boolean
}

/** Logs the error and returns the outcome. */
function failed(
  ctx: Context,
  claimed: Claim,
  error: unknown,
  { recipient, pauseMs = 0, isKnown = false }: FailedSending = {},
): Outcome {
  const nowMs = ctx.now()
  const outcome = (fault: Fault, text: string) => ({
    ...afterFault(fault, claimed, { nowMs, pauseMs }),
    nowMs,
    recipient,
    error: text,
  })
  if (error instanceof DeliveryError) {
    const { fault, unconfirmed } = error
    const text = publicText(error.message)
    const details = { fault, unconfirmed, reason: text, ...named(claimed) }
    if (!isKnown) ctx.log.warn(details, 'message not delivered')
    return outcome(unconfirmed ? 'unconfirmed' : fault, text)
  }
  // The table stores the error's name only: its message may hold a secret.
  const name = error instanceof Error ? error.name : 'a value was thrown'
  if (error instanceof AppError && error.code === 'database_unavailable') {
    ctx.log.warn(
      { err: error.cause, ...named(claimed) },
      'message delayed: the database is unavailable',
    )
    return outcome('database', name)
  }
  ctx.log.error({ err: error, ...named(claimed) }, 'message cannot be composed')
  return outcome('bug', name)
}

const named = ({ id, kind, channel }: Claim) => ({ mail_id: id, kind, channel })

/** A server's text without codes, keys and control characters, which it may have quoted. */
function publicText(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/[\w~+/=-]{32,}/g, '…')
    .replaceAll(/\d{6,}/g, '…')
    .slice(0, ERROR_MAX_LENGTH)
    .toWellFormed()
}
