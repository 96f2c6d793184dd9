import type { Context } from './context.ts'
import { CLEAN_UP } from './schedule/jobs.ts'
import { createDelivery, type MailJobs, type SmsJobs } from './outbox/delivery.ts'
import { type Loop, runDelivery, together } from './outbox/run.ts'
import { type RecurringJob, runSchedule } from './schedule/schedule.ts'
import type { Mailer } from './outbox/transports/mailer.ts'
import { tellNewDevice } from './messages/tell-new-device.ts'
import { tellReplayed } from './messages/tell-replayed.ts'
import { SECOND_MS } from './lib/units.ts'
import type { SmsSender } from './outbox/transports/sms-sender.ts'
import { cleanUp } from './accounts/clean-up.ts'
import { PURGE, purge } from './accounts/purge.ts'
import { remind } from './messages/remind.ts'
import { repeatCodes } from './messages/repeat-codes.ts'
import { sendCode } from './messages/send-code.ts'
import { sendEmailCode } from './messages/send-email-code.ts'
import { sendPhoneCode } from './messages/send-phone-code.ts'
import { sendReset } from './messages/send-reset.ts'
import { tellDeleted } from './messages/tell-deleted.ts'
import {
  tellEmailChanged,
  tellEmailConfirmed,
  tellEmailUndone,
  tellPasswordChangedToLeft,
} from './messages/tell-email-changes.ts'
import { tellPasswordChanged } from './messages/tell-password-changed.ts'
import { tellRegistered } from './messages/tell-registered.ts'

/** How long a stop waits for a message in hand; main.ts waits 15 s for the whole. */
const HAND_OVER_MS = 10 * SECOND_MS

/** Every kind of mail and the job that makes it. */
export const MAIL_JOBS: MailJobs = {
  verification: sendCode,
  verification_again: sendCode,
  repeat_verification: repeatCodes,
  already_registered: tellRegistered,
  session_replayed: tellReplayed,
  new_device: tellNewDevice,
  reminder: remind,
  password_changed: tellPasswordChanged,
  password_changed_left: tellPasswordChangedToLeft,
  account_deleted: tellDeleted,
  password_reset: sendReset,
  email_code: sendEmailCode,
  email_changed: tellEmailChanged,
  email_confirmed: tellEmailConfirmed,
  email_undone: tellEmailUndone,
}

/** Every kind of text message and the job that makes it. */
export const SMS_JOBS: SmsJobs = {
  phone_code: sendPhoneCode,
}

/** Every job that runs by the clock: once for each of its times, over all processes. */
export const RECURRING_JOBS: readonly RecurringJob[] = [
  {
    name: CLEAN_UP,
    schedule: (config) => config.cleanupSchedule,
    run: cleanUp,
  },
  { name: PURGE, schedule: () => '30 * * * *', run: purge },
]

export interface Senders {
  readonly mail: Mailer
  readonly sms: SmsSender
}

/** One delivery for each channel: one that is down does not hold up the other. */
export function createDeliveries(ctx: Context, { mail, sms }: Senders) {
  return {
    mail: createDelivery(ctx, { channel: 'mail', sender: mail, jobs: MAIL_JOBS }),
    sms: createDelivery(ctx, { channel: 'sms', sender: sms, jobs: SMS_JOBS }),
  }
}

/** Starts all background work of this process. */
export function startWorker(ctx: Context, senders: Senders): Loop {
  const { mail, sms } = createDeliveries(ctx, senders)
  const loop = together([runDelivery(ctx, mail), runDelivery(ctx, sms)])
  const schedule = runSchedule(ctx, RECURRING_JOBS)
  return {
    wake: loop.wake,
    async stop() {
      const close = () => Promise.all([senders.mail.close?.(), senders.sms.close?.()])
      // A server that hangs must not turn a stop into a kill.
      const giveUp = setTimeout(() => void close(), HAND_OVER_MS)
      await Promise.all([loop.stop(), schedule.stop()])
      clearTimeout(giveUp)
      await close()
    },
  }
}
