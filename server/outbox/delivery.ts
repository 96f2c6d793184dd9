import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import { AppError } from '../errors.ts'
import { SECOND_MS } from '../lib/units.ts'
import { DeliveryError } from './transports/delivery-error.ts'
import type { Mail } from './transports/mailer.ts'
import type { Sms } from './transports/sms-sender.ts'
import { type Claim, claimMessage } from './claims.ts'
import type { Channel, MailKind, OutboxPayloads, SmsKind } from './outbox.ts'
import { createPause, PAUSE_MIN_MS } from './pause.ts'
import { createQuota } from './quota.ts'
import {
  bounceMessage,
  finishMessage,
  hastenUnconfirmed,
  postponeMessage,
  putOffMessage,
  repeatUnconfirmed,
  returnMessage,
  setBugAside,
  type Try,
} from './settlements.ts'

/** What is done in the transaction that ends a row: once, however often the row is taken up. */
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

/** What every message has, whatever its channel. */
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
  /** Makes the message, hands it over, and writes down what became of it. Never throws. */
  deliver(claim: Claim): Promise<void>
}

/** For the database to come back, when it went while a message was made. */
const DATABASE_WAIT_MS = 10 * SECOND_MS
const SETTLE_AGAIN_MS = SECOND_MS
const ERROR_MAX_LENGTH = 200

export function createDelivery<Message extends Addressed>(
  ctx: Context,
  route: Route<Message>,
): Delivery {
  const { channel, sender } = route
  const pause = createPause(ctx.now)
  const quota = createQuota(ctx, route)
  const inHand = new Set<Claim>()

  /** One at a time asks a transport that failed whether it works again: if it hangs, it takes one copy. */
  const isHeld = () => pause.leftMs() > 0 || (pause.inDoubt() && inHand.size > 0)

  async function claim({ woken }: { woken: boolean }): Promise<Claim | undefined> {
    if (isHeld()) return undefined
    const kinds = await quota.kinds()
    const claimed = await ctx.transaction(async (tx) => {
      const options = {
        channel,
        kinds,
        nowMs: ctx.now(),
        claimMs: sender.timeoutMs,
        woken,
        // What may end workers is in hand alone of its kind: no other is suspected for its sake.
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

  /** Hands it over; returns how to settle it. */
  async function send(message: Message, claimed: Claim): Promise<Settle> {
    const { to: recipient } = message
    const round = pause.round()
    try {
      await sender.send(message, claimed.id)
    } catch (error) {
      if (!(error instanceof DeliveryError)) return asBug(ctx, claimed, error, recipient)
      if (error.fault === 'transport') pause.extend(round)
      // To the back of the line, for all workers: however many ail the transport, others get a turn.
      const waitMs = Math.max(PAUSE_MIN_MS, pause.leftMs())
      return afterFault(ctx, claimed, error, { recipient, waitMs })
    }
    const recovered = pause.inDoubt()
    pause.end()
    return async (tx) => {
      if (recovered) await hastenUnconfirmed(tx, channel, ctx.now())
      return finishMessage(tx, claimed, { nowMs: ctx.now(), recipient, state: 'sent' })
    }
  }

  async function settle(claimed: Claim): Promise<boolean> {
    let message: Message | undefined
    try {
      const made = await render(ctx, route, claimed)
      if (made === undefined || typeof made === 'function') return await drop(claimed, made)
      message = made
    } catch (error) {
      return ctx.transaction(asBug(ctx, claimed, error))
    }
    // Paused for so long, this process is not the only one that holds it.
    if (ctx.now() >= claimed.untilMs) {
      const error = 'its claim ran out before it could be sent'
      return ctx.transaction((tx) => returnMessage(tx, claimed, { nowMs: ctx.now(), error }))
    }
    return writeDown(await send(message, claimed), claimed)
  }

  /** Nothing is to be sent; what is to be done instead is done with it, or neither is. */
  async function drop(claimed: Claim, work?: Work): Promise<boolean> {
    const dropped = await ctx
      .transaction(async (tx) => {
        // Before the message's row: whoever deletes a user locks the user first, too.
        await work?.(tx)
        const ours = await finishMessage(tx, claimed, { nowMs: ctx.now(), state: 'dropped' })
        if (!ours) throw new ClaimLostError()
        return true
      })
      .catch((error: unknown) => {
        if (error instanceof ClaimLostError) return false
        throw error
      })
    if (dropped && work !== undefined) ctx.wakeMail()
    return dropped
  }

  /** Repeated while the claim lasts: what was handed over and not written down is sent twice. */
  async function writeDown(write: Settle, { untilMs }: Claim): Promise<boolean> {
    const endsAt = performance.now() + untilMs - ctx.now()
    for (;;) {
      try {
        return await ctx.transaction(write)
      } catch (error) {
        if (performance.now() + SETTLE_AGAIN_MS >= endsAt) throw error
        await delay(SETTLE_AGAIN_MS)
      }
    }
  }

  return {
    channel,
    pausedMs: pause.leftMs,
    isHeld,
    claim,
    async deliver(claimed) {
      try {
        if (!(await settle(claimed))) ctx.log.warn(named(claimed), 'message lost to another worker')
      } catch (error) {
        // The claim runs out, and the message is tried again.
        ctx.log.error({ err: error, ...named(claimed) }, 'message not settled')
      } finally {
        inHand.delete(claimed)
      }
    },
  }
}

/** Claims and delivers one message; false when there is none to be had now. */
export async function deliverNext(delivery: Delivery, woken: boolean): Promise<boolean> {
  const claimed = await delivery.claim({ woken })
  if (claimed === undefined) return false
  await delivery.deliver(claimed)
  return true
}

type Settle = (tx: Tx) => Promise<boolean>

/** Another worker has the message now: what was done for it is rolled back. */
class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError'
}

async function render<Message extends Addressed>(
  ctx: Context,
  { jobs }: Route<Message>,
  { kind, payload }: Claim,
): Promise<Message | Work | undefined> {
  const job = Object.hasOwn(jobs, kind) ? jobs[kind] : undefined
  if (job === undefined) throw new Error(`no job for messages of kind ${kind}`)
  return job(ctx, JSON.parse(payload) as never)
}

function afterFault(
  ctx: Context,
  claimed: Claim,
  error: DeliveryError,
  { recipient, waitMs }: { recipient: string; waitMs: number },
): Settle {
  const text = publicText(error.message)
  const { fault, unconfirmed } = error
  ctx.log.warn({ fault, unconfirmed, reason: text, ...named(claimed) }, 'message not delivered')
  const tried = { nowMs: ctx.now(), recipient, error: text }
  if (unconfirmed) return (tx) => repeatUnconfirmed(tx, claimed, tried)
  if (fault === 'refused') return (tx) => bounceMessage(tx, claimed, tried)
  if (fault === 'transport') return (tx) => putOffMessage(tx, claimed, { ...tried, waitMs })
  return (tx) => postponeMessage(tx, claimed, tried)
}

/** The table is told the error's name only: its message may hold anything. */
function asBug(ctx: Context, claimed: Claim, error: unknown, recipient?: string): Settle {
  const tried: Try = { nowMs: ctx.now(), recipient, error: nameOf(error) }
  if (error instanceof AppError && error.code === 'database_unavailable') {
    ctx.log.warn({ err: error.cause, ...named(claimed) }, 'message waits for the database')
    return (tx) => returnMessage(tx, claimed, { ...tried, waitMs: DATABASE_WAIT_MS })
  }
  ctx.log.error({ err: error, ...named(claimed) }, 'message cannot be made')
  return (tx) => setBugAside(tx, claimed, tried)
}

const named = ({ id, kind, channel }: Claim) => ({ mail_id: id, kind, channel })
const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'a value was thrown')

/** What another server said, without what it may have repeated of the message: codes, keys, controls. */
function publicText(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/[\w~+/=-]{32,}/g, '…')
    .replaceAll(/\d{6,}/g, '…')
    .slice(0, ERROR_MAX_LENGTH)
    .toWellFormed()
}
