import { findUserByEmail } from '../accounts/addresses.ts'
import { userById } from '../accounts/users.ts'
import type { Context } from '../context.ts'
import type { Client } from '../http/client.ts'
import type { Job, Kind } from '../outbox/kind.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import type { Example } from './examples.ts'
import { answerForgot } from './answer-forgot.ts'
import { homeLink, originOf, writeMail, type SmsName } from './mails.ts'
import { notifyAdmin } from './notify-admins.ts'
import { remind } from './remind.ts'
import { repeatCodes } from './repeat-codes.ts'
import { sendCode, sendEmailCode, sendPhoneCode } from './send-codes.ts'
import { sendInvitation } from './send-invitation.ts'
import { sendReset } from './send-reset.ts'
import {
  notifyEmailChanged,
  notifyEmailConfirmed,
  notifyPreviousAddressOfPassword,
} from './notify-email-changes.ts'
import type { Shop } from './layout.ts'
import type { Origin } from './texts.ts'

interface Described<Payload, Message, Shown> extends Omit<Kind<Message>, 'channel'> {
  readonly make: Job<Payload, Message>
  /** For the preview and the snapshot tests, by name. */
  readonly examples: Readonly<Record<string, Shown>>
}

const mail = <Payload>(kind: Described<Payload, Mail, Example>) =>
  ({ ...kind, channel: 'mail' }) as const
const sms = <Payload>(kind: Described<Payload, Sms, { readonly text: SmsName }>) =>
  ({ ...kind, channel: 'sms' }) as const

/** Every kind of message. Other lists of kinds derive from it. */
export const KINDS = {
  verification: mail({
    make: sendCode,
    examples: {
      verification: { text: 'verification' },
      unknown_origin: { text: 'verification', from: 'unknown' },
    },
  }),
  verification_again: mail({ make: sendCode, examples: {} }),
  /** Enqueues one `verification_again` per pending sign-up. */
  repeat_verification: mail({ make: repeatCodes, examples: {} }),
  already_registered: mail({
    make: notifyRegistered,
    examples: { already_registered: { text: 'alreadyRegistered' } },
  }),
  reminder: mail({
    make: remind,
    examples: { reminder: { text: 'reminder', until: '2026-11-24T17:40:12.345Z' } },
  }),
  invitation: mail({
    make: sendInvitation,
    examples: { invitation: { text: 'invitation', link: 'invitation' } },
  }),
  new_device: mail({
    make: toOwner((shop, notice, { at }: { at: string }) =>
      writeMail(shop, 'newDevice', { ...notice, at }),
    ),
    examples: { new_device: { text: 'newDevice' } },
  }),
  session_replayed: mail({
    make: toOwner((shop, notice, { endedAt }: { endedAt: string }) =>
      writeMail(shop, 'sessionReplayed', { ...notice, endedAt }),
    ),
    examples: { session_replayed: { text: 'sessionReplayed' } },
  }),
  /** A request; enqueues a `reset_link`, or another `email_changed`. */
  password_reset: mail({ make: answerForgot, examples: {} }),
  reset_link: mail({
    make: sendReset,
    examples: {
      password_reset: { text: 'passwordReset', link: 'reset' },
      password_reset_verifies: { text: 'passwordReset', link: 'reset', verifies: true },
      password_reset_by_service: { text: 'passwordReset', link: 'reset', from: 'service' },
    },
  }),
  password_changed: mail({
    make: toOwner((shop, notice, { at }: { at: string }) =>
      writeMail(shop, 'passwordChanged', { ...notice, at }),
    ),
    examples: { password_changed: { text: 'passwordChanged' } },
  }),
  password_changed_left: mail({
    make: notifyPreviousAddressOfPassword,
    examples: { password_changed_left: { text: 'previousAddressPasswordChanged', link: 'undo' } },
  }),
  email_code: mail({
    make: sendEmailCode,
    isUnaddressed: true,
    examples: { email_code: { text: 'emailCode' }, email_taken: { text: 'emailTaken' } },
  }),
  email_changed: mail({
    make: notifyEmailChanged,
    examples: { email_changed: { text: 'emailChanged', link: 'undo' } },
  }),
  email_confirmed: mail({
    make: notifyEmailConfirmed,
    examples: { email_confirmed: { text: 'emailConfirmed' } },
  }),
  email_undone: mail({
    make: async (ctx, payload: { to: string; locale: string | null; at: string }) =>
      writeMail(ctx.config.shop, 'emailUndone', payload),
    examples: { email_undone: { text: 'emailUndone' } },
  }),
  admin_changed: mail({
    make: notifyAdmin,
    examples: {
      admin_invited: { text: 'adminAct', act: 'invited' },
      admin_uninvited: { text: 'adminAct', act: 'uninvited' },
      admin_promoted: { text: 'adminAct', act: 'promoted' },
      admin_demoted: { text: 'adminAct', act: 'demoted' },
      admin_disabled: { text: 'adminAct', act: 'disabled' },
      admin_enabled: { text: 'adminAct', act: 'enabled' },
    },
  }),
  user_deleted: mail({
    make: notifyAdmin,
    examples: { user_deleted: { text: 'adminAct', act: 'deleted' } },
  }),
  phone_code: sms({ make: sendPhoneCode, examples: { phone_code: { text: 'phoneCode' } } }),
  account_deleted: mail({
    make: confirmDeletion,
    isFarewell: true,
    examples: {
      account_deleted: { text: 'accountDeleted' },
      account_deleted_left: { text: 'previousAddressAccountDeleted' },
    },
  }),
} as const

type Payloads = { [Name in keyof typeof KINDS]: Parameters<(typeof KINDS)[Name]['make']>[1] }
declare module '../outbox/kind.ts' {
  interface OutboxPayloads extends Payloads {}
}

export function kindsOf<Channel extends 'mail' | 'sms'>(channel: Channel) {
  const entries = Object.entries<Kind<Mail> | Kind<Sms>>(KINDS)
  return Object.fromEntries(entries.filter(([, kind]) => kind.channel === channel)) as Readonly<
    Record<string, Kind<Channel extends 'mail' ? Mail : Sms>>
  >
}

interface Notice {
  readonly to: string
  readonly locale: string | null
  readonly from: Origin
}

/** Makes a mail to the current address of an account, read at delivery. */
function toOwner<Facts>(make: (shop: Shop, notice: Notice, facts: Facts) => Mail) {
  return async (
    ctx: Context,
    payload: { userId: number } & Client & Facts,
  ): Promise<Mail | undefined> => {
    const user = await ctx.lookUp(userById, payload.userId)
    if (user === undefined) return undefined
    const { email: to, locale } = user
    return make(ctx.config.shop, { to, locale, from: originOf(payload) }, payload)
  }
}

/** Notifies the owner of an address about another sign-up with it, in the owner's language. */
async function notifyRegistered(
  ctx: Context,
  payload: { email: string },
): Promise<Mail | undefined> {
  const user = await findUserByEmail(ctx.db, payload.email)
  if (user === undefined) return undefined
  const { email: to, locale } = user
  return writeMail(ctx.config.shop, 'alreadyRegistered', { to, locale, link: homeLink(ctx.config) })
}

interface Farewell extends Client {
  readonly to: string
  readonly locale: string | null
  readonly at: string
  /** True for a previous address of an account that an admin or an operator deleted. */
  readonly left?: boolean
}

/** The account is deleted, so the payload holds all data. It is erased when delivery ends: a resend finds none. */
async function confirmDeletion(ctx: Context, payload: Farewell): Promise<Mail | undefined> {
  if (payload.to === undefined) return undefined
  const { to, locale, at, left: isPreviousAddress = false } = payload
  const { shop } = ctx.config
  if (isPreviousAddress) return writeMail(shop, 'previousAddressAccountDeleted', { to, locale, at })
  return writeMail(shop, 'accountDeleted', { to, locale, at, from: originOf(payload) })
}
