import type { AuditEventName } from '../audit/event-names.ts'
import { type AuditEvent, recordEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { Cause } from '../http/client.ts'
import { type EnqueueOptions, enqueueMessage } from '../outbox/outbox.ts'
import { type OutboxPayloads, type KindName } from '../outbox/kind.ts'

/** An open transaction, and the audit events and messages that commit or roll back with it. */
export interface Write {
  readonly ctx: Context
  readonly tx: Tx
  /** The timestamp of every row written in the transaction. */
  readonly nowMs: number
  /** Writes an audit event with the cause given to `commit`. */
  readonly record: (event: AuditEventName, about?: Partial<AuditEvent>) => Promise<void>
  /** Writes a message; the worker wakes after the commit. */
  readonly enqueue: <Kind extends KindName>(
    kind: Kind,
    payload: OutboxPayloads[Kind],
    options?: Omit<EnqueueOptions, 'nowMs'>,
  ) => Promise<void>
}

/** For writes by the service itself and its operators. */
export const NO_CAUSE: Partial<Cause> = {}

/** Runs `work` in a transaction, and wakes the worker after the commit if it enqueued a message. */
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

/** The same within the caller's transaction; the caller also wakes the worker. */
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
