import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'

/** Each channel has its own delivery, so that an outage of one does not block the other. */
export type Channel = 'mail' | 'sms'

/**
 * The payload of each kind of message: addresses and ids, never a code or a token. messages/kinds.ts
 * declares them, so that the outbox does not depend on the kinds.
 */
// oxlint-disable-next-line typescript/no-empty-object-type
export interface OutboxPayloads {}
export type KindName = keyof OutboxPayloads

/** Work in the transaction that finishes the row: exactly once, however often the row is claimed. */
export type Work = (tx: Tx) => Promise<void>

/**
 * Composes the message of a row; or returns work to do instead of sending, or undefined when the message
 * is obsolete.
 */
export type Job<Payload, Message> = (
  ctx: Context,
  payload: Payload,
) => Promise<Message | Work | undefined>

/** Hands messages of one channel over to a server. */
export interface Sender<Message> {
  /** The upper bound of `send`, and the duration of a claim. */
  readonly timeoutMs: number
  /**
   * Resolves once the server has accepted the message. `id` is the same for every attempt; a mail's
   * Message-ID begins with it. Throws only DeliveryError.
   */
  send(message: Message, id: string): Promise<void>
  /** Aborts pending sends. */
  close?(): Promise<void>
}

export interface Kind<Message = unknown> {
  readonly channel: Channel
  readonly make: Job<never, Message>
  /** Its payload holds data of a deleted user, which is blanked when the message finishes. */
  readonly isFarewell?: boolean
  /** Its recipient may be a third party and is not stored. */
  readonly isUnaddressed?: boolean
}

export type Kinds<Message = unknown> = Readonly<Record<string, Kind<Message>>>
