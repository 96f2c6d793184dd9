import { findUserByEmail } from '../accounts/addresses.ts'
import { userById } from '../accounts/users.ts'
import type { Context } from '../context.ts'
import type { Client } from '../http/client.ts'
import type { Job, Kind } from '../outbox/kind.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import type { Example } from './examples.ts'
import type { Shop } from './layout.ts'
import * as mails from './mails.ts'
import { remind } from './remind.ts'
import { repeatCodes } from './repeat-codes.ts'
import { sendCode, sendEmailCode, sendPhoneCode } from './send-codes.ts'
import { sendReset } from './send-reset.ts'
import { phoneCodeSms } from './sms.ts'
import {
  tellEmailChanged,
  tellEmailConfirmed,
  tellFormerAddressOfPassword,
} from './tell-email-changes.ts'

/** A kind with what the preview and the snapshots show of it, by name. */
interface Described<Payload, Message> extends Kind<Message> {
  readonly make: Job<Payload, Message>
  readonly examples: (shop: Shop, example: Example) => Readonly<Record<string, Message>>
}

const mail = <Payload>(kind: Omit<Described<Payload, Mail>, 'channel'>) =>
  ({ ...kind, channel: 'mail' }) as const
const sms = <Payload>(kind: Omit<Described<Payload, Sms>, 'channel'>) =>
  ({ ...kind, channel: 'sms' }) as const

/** Every kind of message, in the order of an account's life. What else needs a list of them reads this. */
export const KINDS = {
  verification: mail({
    make: sendCode,
    isHeldBack: true,
    examples: (shop, example) => ({
      verification: mails.verificationMail(shop, example),
      unknown_origin: mails.verificationMail(shop, { ...example, ip: null, userAgent: null }),
    }),
  }),
  verification_again: mail({ make: sendCode, isHeldBack: true, examples: () => ({}) }),
  /** Enqueues one `verification_again` for each attempt that waits. */
  repeat_verification: mail({ make: repeatCodes, examples: () => ({}) }),
  already_registered: mail({
    make: tellRegistered,
    isHeldBack: true,
    examples: (shop, example) => ({
      already_registered: mails.alreadyRegisteredMail(shop, example),
    }),
  }),
  reminder: mail({
    make: remind,
    isHeldBack: true,
    examples: (shop, example) => ({ reminder: mails.reminderMail(shop, example) }),
  }),
  new_device: mail({
    make: toOwner<{ at: string }>(mails.newDeviceMail),
    examples: (shop, example) => ({ new_device: mails.newDeviceMail(shop, example) }),
  }),
  session_replayed: mail({
    make: toOwner<{ endedAt: string }>(mails.sessionReplayedMail),
    examples: (shop, example) => ({ session_replayed: mails.sessionReplayedMail(shop, example) }),
  }),
  password_reset: mail({
    make: sendReset,
    examples(shop, example) {
      const reset = { ...example, verifies: false }
      const byService = { ...reset, ip: null, userAgent: null }
      return {
        password_reset: mails.passwordResetMail(shop, reset),
        password_reset_verifies: mails.passwordResetMail(shop, { ...reset, verifies: true }),
        password_reset_by_service: mails.passwordResetMail(shop, byService),
      }
    },
  }),
  password_changed: mail({
    make: toOwner<{ at: string }>(mails.passwordChangedMail),
    examples: (shop, example) => ({ password_changed: mails.passwordChangedMail(shop, example) }),
  }),
  password_changed_left: mail({
    make: tellFormerAddressOfPassword,
    examples: (shop, example) => ({
      password_changed_left: mails.leftPasswordChangedMail(shop, example),
    }),
  }),
  email_code: mail({
    make: sendEmailCode,
    isUnaddressed: true,
    examples: (shop, example) => ({
      email_code: mails.emailCodeMail(shop, example),
      email_taken: mails.emailTakenMail(shop, example),
    }),
  }),
  email_changed: mail({
    make: tellEmailChanged,
    examples: (shop, example) => ({ email_changed: mails.emailChangedMail(shop, example) }),
  }),
  email_confirmed: mail({
    make: tellEmailConfirmed,
    examples: (shop, example) => ({ email_confirmed: mails.emailConfirmedMail(shop, example) }),
  }),
  email_undone: mail({
    make: async (ctx, payload: { to: string; locale: string | null; at: string }) =>
      mails.emailUndoneMail(ctx.config.shop, payload),
    examples: (shop, example) => ({ email_undone: mails.emailUndoneMail(shop, example) }),
  }),
  phone_code: sms({
    make: sendPhoneCode,
    examples: (shop, { locale, code }) => ({
      phone_code: phoneCodeSms(shop, { to: '+4915123456789', code, locale }),
    }),
  }),
  account_deleted: mail({
    make: sayFarewell,
    isFarewell: true,
    examples: (shop, example) => ({
      account_deleted: mails.accountDeletedMail(shop, example),
      account_deleted_left: mails.leftAccountDeletedMail(shop, example),
    }),
  }),
} as const

type Payloads = { [Name in keyof typeof KINDS]: Parameters<(typeof KINDS)[Name]['make']>[1] }
declare module '../outbox/kind.ts' {
  interface OutboxPayloads extends Payloads {}
}

/** The kinds of one channel, by name. */
export function kindsOf<Channel extends 'mail' | 'sms'>(channel: Channel) {
  const entries = Object.entries<Kind<Mail> | Kind<Sms>>(KINDS)
  return Object.fromEntries(entries.filter(([, kind]) => kind.channel === channel)) as Readonly<
    Record<string, Kind<Channel extends 'mail' ? Mail : Sms>>
  >
}

/** A mail to the owner of an account as the account is when the mail is made. */
function toOwner<Facts>(
  word: (shop: Shop, mail: Facts & Client & { to: string; locale: string | null }) => Mail,
) {
  return async (
    ctx: Context,
    payload: Facts & Client & { userId: number },
  ): Promise<Mail | undefined> => {
    const user = await ctx.lookUp(userById, payload.userId)
    return user && word(ctx.config.shop, { ...payload, to: user.email, locale: user.locale })
  }
}

/** The owner of an address that was signed up again. The language is the owner's, not the caller's. */
async function tellRegistered(ctx: Context, payload: { email: string }): Promise<Mail | undefined> {
  const user = await findUserByEmail(ctx.db, payload.email)
  if (user === undefined) return undefined
  const { shop, publicUrl } = ctx.config
  return mails.alreadyRegisteredMail(shop, { to: user.email, locale: user.locale, publicUrl })
}

interface Farewell extends Client {
  readonly to: string
  readonly locale: string | null
  readonly at: string
  /** The account had this address before, and somebody else deleted it. */
  readonly left?: boolean
}

/** The account is gone, so the payload says it all; one that failed and is sent again has none. */
async function sayFarewell(ctx: Context, payload: Farewell): Promise<Mail | undefined> {
  if (payload.to === undefined) return undefined
  const { left = false, ...mail } = payload
  return left
    ? mails.leftAccountDeletedMail(ctx.config.shop, mail)
    : mails.accountDeletedMail(ctx.config.shop, mail)
}
