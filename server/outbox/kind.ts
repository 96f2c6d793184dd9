import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'

/** How a message travels. Each channel has a delivery of its own: one that is down holds up no other. */
export type Channel = 'mail' | 'sms'

/**
 * What each kind of message needs, by its name: addresses and ids, never a code or a token.
 * messages/kinds.ts declares them, so that the outbox knows no kind.
 */
// oxlint-disable-next-line typescript/no-empty-object-type
export interface OutboxPayloads {}
export type KindName = keyof OutboxPayloads

/** Work that is done in the transaction that ends a row: once, however often the row is claimed. */
export type Work = (tx: Tx) => Promise<void>

/**
 * Turns a row into the message to send now, or into work that is done instead of sending, or into
 * undefined when nobody wants it any more.
 */
export type Job<Payload, Message> = (
  ctx: Context,
  payload: Payload,
) => Promise<Message | Work | undefined>

/** A kind of message. */
export interface Kind<Message = unknown> {
  readonly channel: Channel
  readonly make: Job<never, Message>
  /** Waits while MAIL_MAX_PER_HOUR is reached: a flood of sign-ups is a flood of these. */
  readonly isHeldBack?: boolean
  /** Its payload names a person whose account is gone: nothing of it is kept once it ends. */
  readonly isFarewell?: boolean
  /** Goes to an address that its owner may not have typed: the recipient is not kept. */
  readonly isUnaddressed?: boolean
}

export type Kinds<Message = unknown> = Readonly<Record<string, Kind<Message>>>
