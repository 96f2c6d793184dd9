import { findUserByEmail } from '../accounts/addresses.ts'
import { userById } from '../accounts/users.ts'
import type { Context } from '../context.ts'
import type { Client } from '../http/client.ts'
import type { Job, Kind } from '../outbox/kind.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import type { Example } from './examples.ts'
import { type Facts, homeLink, originOf, writeMail } from './mails.ts'
import { remind } from './remind.ts'
import { repeatCodes } from './repeat-codes.ts'
import { sendCode, sendEmailCode, sendPhoneCode } from './send-codes.ts'
import { sendReset } from './send-reset.ts'
import {
  tellEmailChanged,
  tellEmailConfirmed,
  tellFormerAddressOfPassword,
} from './tell-email-changes.ts'

interface Described<Payload, Message> extends Kind<Message> {
  readonly make: Job<Payload, Message>
  /** For the preview and the snapshots, by name. */
  readonly examples: Readonly<Record<string, Example>>
}

const mail = <Payload>(kind: Omit<Described<Payload, Mail>, 'channel'>) =>
  ({ ...kind, channel: 'mail' }) as const
const sms = <Payload>(kind: Omit<Described<Payload, Sms>, 'channel'>) =>
  ({ ...kind, channel: 'sms' }) as const

/** Every kind of message. What else needs a list of them reads this. */
export const KINDS = {
  verification: mail({
    make: sendCode,
    isHeldBack: true,
    examples: {
      verification: { text: 'verification' },
      unknown_origin: { text: 'verification', from: 'unknown' },
    },
  }),
  verification_again: mail({ make: sendCode, isHeldBack: true, examples: {} }),
  /** Enqueues one `verification_again` for each attempt that waits. */
  repeat_verification: mail({ make: repeatCodes, examples: {} }),
  already_registered: mail({
    make: tellRegistered,
    isHeldBack: true,
    examples: { already_registered: { text: 'alreadyRegistered' } },
  }),
  reminder: mail({
    make: remind,
    isHeldBack: true,
    examples: { reminder: { text: 'reminder', until: '2026-11-24T17:40:12.345Z' } },
  }),
  new_device: mail({
    make: toOwner('newDevice'),
    examples: { new_device: { text: 'newDevice' } },
  }),
  session_replayed: mail({
    make: toOwner('sessionReplayed'),
    examples: { session_replayed: { text: 'sessionReplayed' } },
  }),
  password_reset: mail({
    make: sendReset,
    examples: {
      password_reset: { text: 'passwordReset', link: 'reset' },
      password_reset_verifies: { text: 'passwordReset', link: 'reset', verifies: true },
      password_reset_by_service: { text: 'passwordReset', link: 'reset', from: 'service' },
    },
  }),
  password_changed: mail({
    make: toOwner('passwordChanged'),
    examples: { password_changed: { text: 'passwordChanged' } },
  }),
  password_changed_left: mail({
    make: tellFormerAddressOfPassword,
    examples: { password_changed_left: { text: 'leftPasswordChanged', link: 'undo' } },
  }),
  email_code: mail({
    make: sendEmailCode,
    isUnaddressed: true,
    examples: { email_code: { text: 'emailCode' }, email_taken: { text: 'emailTaken' } },
  }),
  email_changed: mail({
    make: tellEmailChanged,
    examples: { email_changed: { text: 'emailChanged', link: 'undo' } },
  }),
  email_confirmed: mail({
    make: tellEmailConfirmed,
    examples: { email_confirmed: { text: 'emailConfirmed' } },
  }),
  email_undone: mail({
    make: async (ctx, payload: { to: string; locale: string | null; at: string }) =>
      writeMail(ctx.config.shop, 'emailUndone', payload),
    examples: { email_undone: { text: 'emailUndone' } },
  }),
  phone_code: sms({ make: sendPhoneCode, examples: {} }),
  account_deleted: mail({
    make: sayFarewell,
    isFarewell: true,
    examples: {
      account_deleted: { text: 'accountDeleted' },
      account_deleted_left: { text: 'leftAccountDeleted' },
    },
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
function toOwner<Name extends 'newDevice' | 'sessionReplayed' | 'passwordChanged'>(name: Name) {
  return async (
    ctx: Context,
    { userId, ...payload }: { userId: number } & Client & Omit<Facts<Name>, 'from'>,
  ): Promise<Mail | undefined> => {
    const user = await ctx.lookUp(userById, userId)
    if (user === undefined) return undefined
    const recipient = { to: user.email, locale: user.locale, from: originOf(payload) }
    return writeMail(ctx.config.shop, name, { ...payload, ...recipient } as never)
  }
}

/** The owner of an address that was signed up again. The language is the owner's, not the caller's. */
async function tellRegistered(ctx: Context, payload: { email: string }): Promise<Mail | undefined> {
  const user = await findUserByEmail(ctx.db, payload.email)
  if (user === undefined) return undefined
  const { email: to, locale } = user
  return writeMail(ctx.config.shop, 'alreadyRegistered', { to, locale, link: homeLink(ctx.config) })
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
  const { to, locale, at, left = false } = payload
  const { shop } = ctx.config
  if (left) return writeMail(shop, 'leftAccountDeleted', { to, locale, at })
  return writeMail(shop, 'accountDeleted', { to, locale, at, from: originOf(payload) })
}
