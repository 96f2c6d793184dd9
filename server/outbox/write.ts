import type { AuditEventName } from '../audit/event-names.ts'
import { type AuditEvent, recordEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { Cause } from '../http/client.ts'
import { type EnqueueOptions, enqueueMessage, type OutboxPayloads } from './outbox.ts'

/** An open transaction, with everything that is committed with it or not at all. */
export interface Write {
  readonly ctx: Context
  readonly tx: Tx
  /** One time for all that is written. */
  readonly nowMs: number
  /** Writes an audit event with the cause of the whole. */
  readonly record: (event: AuditEventName, about?: Partial<AuditEvent>) => Promise<void>
  /** Writes a message; the worker wakes after the commit. */
  readonly enqueue: <Kind extends keyof OutboxPayloads>(
    kind: Kind,
    payload: OutboxPayloads[Kind],
    options?: Omit<EnqueueOptions, 'nowMs'>,
  ) => Promise<void>
}

/** The service itself and its operators. */
export const NO_CAUSE: Partial<Cause> = {}

/** The one way to write: commits what `work` does, and wakes the worker if it enqueued a message. */
export async function commit<Result>(
  ctx: Context,
  cause: Partial<Cause>,
  work: (write: Write) => Promise<Result>,
): Promise<Result> {
  let enqueued = false
  const result = await ctx.transaction((tx) => {
    const opened = writeIn(ctx, tx, cause)
    return work({
      ...opened,
      enqueue(kind, payload, options) {
        enqueued = true
        return opened.enqueue(kind, payload, options)
      },
    })
  })
  if (enqueued) ctx.wakeMail()
  return result
}

/** The same in a transaction that somebody else opened, who also wakes the worker. */
export function writeIn(ctx: Context, tx: Tx, cause: Partial<Cause> = NO_CAUSE): Write {
  const nowMs = ctx.now()
  return {
    ctx,
    tx,
    nowMs,
    record: (event, about) => recordEvent(tx, { ...cause, ...about, event }, nowMs),
    enqueue: (kind, payload, options) => enqueueMessage(tx, kind, payload, { ...options, nowMs }),
  }
}
