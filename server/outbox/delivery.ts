import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import { AppError } from '../errors.ts'
import { SECOND_MS } from '../lib/units.ts'
import { type Claim, claimMessage } from './claims.ts'
import { hastenUnconfirmed, type Outcome, writeOutcome } from './outcomes.ts'
import type { Channel, MailKind, OutboxPayloads, SmsKind } from './outbox.ts'
import { createPause, PAUSE_MIN_MS } from './pause.ts'
import { createQuota } from './quota.ts'
import { afterFault, type Fault } from './retries.ts'
import { DeliveryError } from './transports/delivery-error.ts'
import type { Mail } from './transports/mailer.ts'
import type { Sms } from './transports/sms-sender.ts'

/** Work that is done in the transaction that ends a row: once, however often the row is claimed. */
export type Work = (tx: Tx) => Promise<void>
/**
 * Turns a row into the message to send now, or into work that is done instead of sending, or into
 * undefined when nobody wants it any more.
 */
type Job<Kind extends keyof OutboxPayloads, Message> = (
  ctx: Context,
  payload: OutboxPayloads[Kind],
) => Promise<Message | Work | undefined>
export type MailJobs = { readonly [Kind in MailKind]: Job<Kind, Mail> }
export type SmsJobs = { readonly [Kind in SmsKind]: Job<Kind, Sms> }

/** A message of any channel. */
interface Addressed {
  readonly to: string
}
/** One way to send: its jobs make messages, its sender hands them over. */
export interface Route<Message extends Addressed = Addressed> {
  readonly channel: Channel
  readonly sender: {
    /** How long a claim lasts: by then `send` has answered or given up. */
    readonly timeoutMs: number
    /** Throws a DeliveryError, and nothing else. */
    send(message: Message, id: string): Promise<void>
  }
  readonly jobs: Readonly<
    Record<string, (ctx: Context, payload: never) => Promise<Message | Work | undefined>>
  >
}

/** The senders and jobs of one channel, with the pause that a transport's faults bring about. */
export interface Delivery {
  readonly channel: Channel
  /** Until the transport may be tried again; 0 when it may now. */
  pausedMs(): number
  /** True while nothing is claimed: the transport pauses, or is being asked whether it works again. */
  isHeld(): boolean
  /** Claims what has been due longest; undefined when nothing is, or while `isHeld`. */
  claim(options: { readonly woken: boolean }): Promise<Claim | undefined>
  /** Makes the message, sends it, and writes its outcome. Never throws. */
  deliver(claim: Claim): Promise<void>
}

/** Between two tries to write the outcome of a message that was sent. */
const WRITE_AGAIN_MS = SECOND_MS
const ERROR_MAX_LENGTH = 200

export function createDelivery<Message extends Addressed>(
  ctx: Context,
  route: Route<Message>,
): Delivery {
  const pause = createPause(ctx.now)
  const quota = createQuota(ctx, route)
  const shared: Shared = { ctx, route, pause, quota, inHand: new Set<Claim>() }
  return {
    channel: route.channel,
    pausedMs: pause.remainingMs,
    isHeld: () => isHeld(shared),
    claim: (options) => claim(shared, options),
    deliver: (claimed) => deliver(shared, claimed),
  }
}

/** The state that the steps of a delivery share. */
interface Shared {
  readonly ctx: Context
  readonly route: Route
  readonly pause: ReturnType<typeof createPause>
  readonly quota: ReturnType<typeof createQuota>
  readonly inHand: Set<Claim>
}

/** The outcome of a message, and the work that is done in the same transaction or not at all. */
interface Ending {
  readonly outcome: Outcome
  readonly work?: Work | undefined
}

/** Another worker has the message now: what was done for it is rolled back. */
class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError'
}

/** One at a time asks a transport that failed whether it works again: if it hangs, it takes one copy. */
function isHeld({ pause, inHand }: Shared): boolean {
  return pause.remainingMs() > 0 || (pause.inDoubt() && inHand.size > 0)
}

async function claim(shared: Shared, { woken }: { woken: boolean }): Promise<Claim | undefined> {
  if (isHeld(shared)) return undefined
  const { ctx, route, pause, quota, inHand } = shared
  const kinds = await quota.kinds()
  const claimed = await ctx.transaction(async (tx) => {
    const options = {
      channel: route.channel,
      kinds,
      nowMs: ctx.now(),
      claimMs: route.sender.timeoutMs,
      woken,
      // A message that may end workers is the only such one in hand: no other is suspected instead.
      unsuspected: [...inHand].some(({ crashes }) => crashes > 0),
    }
    const probe = pause.inDoubt() && (await claimMessage(tx, { ...options, uncopied: true }))
    return probe || claimMessage(tx, options)
  })
  if (claimed !== undefined) {
    inHand.add(claimed)
    quota.take()
  }
  return claimed
}

async function deliver(shared: Shared, claimed: Claim): Promise<void> {
  const { ctx, inHand } = shared
  try {
    const made = await make(shared, claimed)
    if ('outcome' in made) await write(ctx, claimed, made)
    else await writeWhileClaimed(ctx, claimed, await send(shared, claimed, made.message))
  } catch (error) {
    if (error instanceof ClaimLostError) {
      ctx.log.warn(named(claimed), 'message lost to another worker')
    } else {
      // The claim runs out, and the message is tried again.
      ctx.log.error({ err: error, ...named(claimed) }, 'outcome of a message not written')
    }
  } finally {
    inHand.delete(claimed)
  }
}

/** Returns the message, or the ending of one that nobody wants or that cannot be made. */
async function make(
  { ctx, route }: Shared,
  claimed: Claim,
): Promise<{ message: Addressed } | Ending> {
  let made: Addressed | Work | undefined
  try {
    const job = route.jobs[claimed.kind]
    if (job === undefined) throw new Error(`no job for messages of kind ${claimed.kind}`)
    made = await job(ctx, JSON.parse(claimed.payload) as never)
  } catch (error) {
    return { outcome: failed(ctx, claimed, error) }
  }
  const nowMs = ctx.now()
  if (made === undefined) return { outcome: { state: 'dropped', nowMs } }
  if (typeof made === 'function') return { outcome: { state: 'dropped', nowMs }, work: made }
  // Paused for so long, this process is not the only one that holds it.
  if (nowMs >= claimed.untilMs) {
    const retry = afterFault('stale', claimed, { nowMs })
    return { outcome: { ...retry, nowMs, error: 'its claim ran out before it could be sent' } }
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
    if (error instanceof DeliveryError && error.fault === 'transport') pause.extend()
    const pauseMs = Math.max(PAUSE_MIN_MS, pause.remainingMs())
    return { outcome: failed(ctx, claimed, error, { recipient, pauseMs }) }
  }
  const recovered = pause.inDoubt()
  pause.end()
  const nowMs = ctx.now()
  return {
    outcome: { state: 'sent', nowMs, recipient },
    work: recovered ? (tx) => hastenUnconfirmed(tx, route.channel, nowMs) : undefined,
  }
}

/** Writes the outcome and its work, or neither. Throws ClaimLostError. */
async function write(ctx: Context, claimed: Claim, { outcome, work }: Ending): Promise<void> {
  await ctx.transaction(async (tx) => {
    // Before the message's row: a deletion locks the user first, too.
    await work?.(tx)
    if (!(await writeOutcome(tx, claimed, outcome))) throw new ClaimLostError()
  })
  if (work !== undefined) ctx.wakeMail()
}

/** Repeats the write while the claim lasts: a message whose outcome is lost is sent twice. */
async function writeWhileClaimed(ctx: Context, claimed: Claim, ending: Ending): Promise<void> {
  const endsAt = performance.now() + claimed.untilMs - ctx.now()
  for (;;) {
    try {
      return await write(ctx, claimed, ending)
    } catch (error) {
      if (error instanceof ClaimLostError || performance.now() + WRITE_AGAIN_MS >= endsAt)
        throw error
      await delay(WRITE_AGAIN_MS)
    }
  }
}

/** Logs the error; returns what becomes of the message. */
function failed(
  ctx: Context,
  claimed: Claim,
  error: unknown,
  { recipient, pauseMs = 0 }: { recipient?: string; pauseMs?: number } = {},
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
    ctx.log.warn({ fault, unconfirmed, reason: text, ...named(claimed) }, 'message not delivered')
    return outcome(unconfirmed ? 'unconfirmed' : fault, text)
  }
  // The table gets the error's name only: its message may hold anything.
  const name = error instanceof Error ? error.name : 'a value was thrown'
  if (error instanceof AppError && error.code === 'database_unavailable') {
    ctx.log.warn({ err: error.cause, ...named(claimed) }, 'message waits for the database')
    return outcome('database', name)
  }
  ctx.log.error({ err: error, ...named(claimed) }, 'message cannot be made')
  return outcome('bug', name)
}

const named = ({ id, kind, channel }: Claim) => ({ mail_id: id, kind, channel })

/** The text of another server without codes, keys and controls, which it may have repeated. */
function publicText(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/[\w~+/=-]{32,}/g, '…')
    .replaceAll(/\d{6,}/g, '…')
    .slice(0, ERROR_MAX_LENGTH)
    .toWellFormed()
}
