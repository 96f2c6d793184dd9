import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import { AppError } from '../errors.ts'
import { jitterMs } from '../lib/random.ts'
import { SECOND_MS } from '../lib/units.ts'
import { DeliveryError } from '../mail/delivery-error.ts'
import type { Mail } from '../mail/messages.ts'
import type { Sms } from '../sms/sender.ts'
import {
  bounceMessage,
  type Claim,
  claimMessage,
  finishMessage,
  LATER_TRIES,
  postponeMessage,
  repeatUnconfirmed,
  returnMessage,
  type Try,
} from './claims.ts'
import type { Channel, MailKind, OutboxPayloads, SmsKind } from './outbox.ts'

/** Turns a row into the message to send now, or undefined when nobody wants it any more. */
type Job<Kind extends keyof OutboxPayloads, Message> = (
  ctx: Context,
  payload: OutboxPayloads[Kind],
) => Promise<Message | undefined>
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
    Record<string, (ctx: Context, payload: never) => Promise<Message | undefined>>
  >
}

/** The senders and jobs of one channel, with the pause that a transport's faults bring about. */
export interface Delivery {
  readonly channel: Channel
  /** Until the transport may be tried again; 0 when it may now. */
  pausedMs(): number
  /** Claims what has been due longest; undefined when nothing is, or while the transport pauses. */
  claim(options: { readonly woken: boolean }): Promise<Claim | undefined>
  /** Makes the message, hands it over, and writes down what became of it. Never throws. */
  deliver(claim: Claim): Promise<void>
}

const PAUSE_MIN_MS = 5 * SECOND_MS
const PAUSE_MAX_MS = 30 * SECOND_MS
/** With up to a quarter more, so that workers that met one outage do not come back together. */
const PAUSE_MEAN_MAX_MS = PAUSE_MAX_MS / 1.25
/** Tries of a message that cannot be made: a bug of ours, mended by the next version or never. */
const BUG_TRIES = 3
/** For the database to come back, when it went while a message was made. */
const DATABASE_WAIT_MS = 10 * SECOND_MS
const SETTLE_AGAIN_MS = SECOND_MS
/** How many messages that met a fault of the transport are remembered as no good probes. */
const SUSPECTS_MAX = 100
const ERROR_MAX_LENGTH = 200

export function createDelivery<Message extends Addressed>(
  ctx: Context,
  route: Route<Message>,
): Delivery {
  const { channel, sender } = route
  const kinds = Object.keys(route.jobs)
  const pause = createPause(ctx.now)
  // Tried again only after all others: what ails the transport may be this very message.
  const suspects = new Set<string>()

  async function claim({ woken }: { woken: boolean }): Promise<Claim | undefined> {
    if (pause.leftMs() > 0) return undefined
    return ctx.transaction(async (tx) => {
      const options = { channel, kinds, nowMs: ctx.now(), claimMs: sender.timeoutMs, woken }
      const found = await claimMessage(tx, { ...options, except: [...suspects] })
      return found ?? (suspects.size === 0 ? undefined : claimMessage(tx, options))
    })
  }

  /** Hands it over; returns how to settle it. */
  async function send(message: Message, claimed: Claim): Promise<Settle> {
    const { to: recipient } = message
    const round = pause.round()
    try {
      await sender.send(message, claimed.id)
    } catch (error) {
      if (!(error instanceof DeliveryError)) return asBug(ctx, claimed, error, recipient)
      if (error.fault === 'transport') {
        pause.extend(round)
        // The newest goes last.
        suspects.delete(claimed.id)
        suspects.add(claimed.id)
        for (const oldest of suspects) {
          if (suspects.size <= SUSPECTS_MAX) break
          suspects.delete(oldest)
        }
      }
      // To the back of the line, for all workers: however many ail the transport, others get a turn.
      const waitMs = Math.max(PAUSE_MIN_MS, pause.leftMs())
      return afterFault(ctx, claimed, error, { recipient, waitMs })
    }
    pause.end()
    suspects.delete(claimed.id)
    return (tx) => finishMessage(tx, claimed, { nowMs: ctx.now(), recipient, state: 'sent' })
  }

  async function settle(claimed: Claim): Promise<boolean> {
    let message: Message | undefined
    try {
      message = await render(ctx, route, claimed)
    } catch (error) {
      return ctx.transaction(asBug(ctx, claimed, error))
    }
    if (message === undefined) {
      suspects.delete(claimed.id)
      return ctx.transaction((tx) =>
        finishMessage(tx, claimed, { nowMs: ctx.now(), state: 'dropped' }),
      )
    }
    // Paused for so long, this process is not the only one that holds it.
    if (ctx.now() >= claimed.untilMs) {
      const error = 'its claim ran out before it could be sent'
      return ctx.transaction((tx) => returnMessage(tx, claimed, { nowMs: ctx.now(), error }))
    }
    return writeDown(await send(message, claimed), claimed)
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
    claim,
    async deliver(claimed) {
      try {
        if (!(await settle(claimed))) ctx.log.warn(named(claimed), 'message lost to another worker')
      } catch (error) {
        // The claim runs out, and the message is tried again.
        ctx.log.error({ err: error, ...named(claimed) }, 'message not settled')
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

/** 5 s, doubled by each further fault up to 30 s, with jitter; the first success ends it. */
function createPause(now: () => number) {
  let untilMs = 0
  let rounds = 0
  let meanMs = 0
  return {
    leftMs(): number {
      const left = untilMs - now()
      // A clock that was set back must not stop the mail for longer than any pause.
      return left > PAUSE_MAX_MS ? 0 : Math.max(0, left)
    },
    round: () => rounds,
    /** Who began before the last pause, or during it, met the same fault: that makes it no longer. */
    extend(round: number): void {
      if (round !== rounds || this.leftMs() > 0) return
      rounds++
      meanMs = meanMs === 0 ? PAUSE_MIN_MS : Math.min(2 * meanMs, PAUSE_MEAN_MAX_MS)
      untilMs = now() + Math.round(meanMs + jitterMs(meanMs / 8))
    },
    end(): void {
      untilMs = 0
      meanMs = 0
    },
  }
}

async function render<Message extends Addressed>(
  ctx: Context,
  { jobs }: Route<Message>,
  { kind, payload }: Claim,
): Promise<Message | undefined> {
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
  if (fault === 'transport') return (tx) => returnMessage(tx, claimed, { ...tried, waitMs })
  return (tx) => postponeMessage(tx, claimed, { ...tried, triesMax: LATER_TRIES })
}

/** The table is told the error's name only: its message may hold anything. */
function asBug(ctx: Context, claimed: Claim, error: unknown, recipient?: string): Settle {
  const tried: Try = { nowMs: ctx.now(), recipient, error: nameOf(error) }
  if (error instanceof AppError && error.code === 'database_unavailable') {
    ctx.log.warn({ err: error.cause, ...named(claimed) }, 'message waits for the database')
    return (tx) => returnMessage(tx, claimed, { ...tried, waitMs: DATABASE_WAIT_MS })
  }
  ctx.log.error({ err: error, ...named(claimed) }, 'message cannot be made')
  return (tx) => postponeMessage(tx, claimed, { ...tried, triesMax: BUG_TRIES })
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
