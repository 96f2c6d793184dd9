import type { Context } from '../context.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Mailer } from '../mail/mailer.ts'
import type { Mail } from '../mail/messages.ts'
import {
  type ClaimedMail,
  claimMail,
  finishMail,
  type OutboxPayloads,
  postponeMail,
} from './outbox.ts'

/** Turns a row into the mail to send now, or undefined when nobody wants it any more. */
export type MailJobs = {
  readonly [Kind in keyof OutboxPayloads]: (
    ctx: Context,
    payload: OutboxPayloads[Kind],
  ) => Promise<Mail | undefined>
}

export interface MailLoop {
  /** Mail was committed by this process: look at once. */
  wake(): void
  /** Finishes the mail in hand, then stops. */
  stop(): Promise<void>
}

const POLL_MS = SECOND_MS

/**
 * Sends what is in the outbox until stopped: at least once, in the order in which it became due. A
 * crash between sending and finishing sends the same mail, with the same id, once more.
 */
export function runMailLoop(ctx: Context, mailer: Mailer, jobs: MailJobs): MailLoop {
  let woken = true
  let stopping = false
  let interrupt = () => {}

  async function loop(): Promise<void> {
    while (!stopping) {
      const eager = woken
      woken = false
      const worked = await deliverNext(ctx, mailer, jobs, eager).catch((error: unknown) => {
        ctx.log.error({ err: error }, 'mail loop')
        return false
      })
      if (worked) woken ||= eager
      else if (!woken && !stopping) await sleep(POLL_MS)
    }
  }
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const running = loop()
  return {
    wake() {
      woken = true
      interrupt()
    },
    async stop() {
      stopping = true
      interrupt()
      await running
    },
  }
}

/** Delivers one mail; false when none is due. */
export async function deliverNext(
  ctx: Context,
  mailer: Mailer,
  jobs: MailJobs,
  woken: boolean,
): Promise<boolean> {
  const claimed = await ctx.transaction((tx) => claimMail(tx, { nowMs: ctx.now(), woken }))
  if (claimed === undefined) return false
  try {
    const mail = await render(ctx, jobs, claimed)
    if (mail !== undefined) await mailer.send(mail, claimed.id)
    await ctx.transaction((tx) => finishMail(tx, claimed, ctx.now()))
  } catch (error) {
    ctx.log.error({ err: error, mail_id: claimed.id, kind: claimed.kind }, 'mail postponed')
    await ctx.transaction((tx) => postponeMail(tx, claimed, ctx.now()))
  }
  return true
}

async function render(
  ctx: Context,
  jobs: MailJobs,
  claimed: ClaimedMail,
): Promise<Mail | undefined> {
  const job = jobs[claimed.kind as keyof MailJobs] as (
    ctx: Context,
    payload: unknown,
  ) => Promise<Mail | undefined>
  if (job === undefined) throw new Error(`no job for mail of kind ${claimed.kind}`)
  return job(ctx, JSON.parse(claimed.payload))
}
