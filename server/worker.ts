import type { Context } from './context.ts'
import { type MailJobs, type MailLoop, runMailLoop } from './jobs/run.ts'
import type { Mailer } from './mail/mailer.ts'
import { tellReplayed } from './sessions/tell-replayed.ts'
import { repeatCodes } from './users/repeat-codes.ts'
import { sendCode } from './users/send-code.ts'
import { tellRegistered } from './users/tell-registered.ts'

/** Every kind of mail and the job that makes it. */
export const MAIL_JOBS: MailJobs = {
  verification: sendCode,
  verification_again: sendCode,
  repeat_verification: repeatCodes,
  already_registered: tellRegistered,
  session_replayed: tellReplayed,
}

/** Starts all background work of this process. */
export function startWorker(ctx: Context, mailer: Mailer): MailLoop {
  return runMailLoop(ctx, mailer, MAIL_JOBS)
}
