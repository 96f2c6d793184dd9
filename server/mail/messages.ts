import { localeOf } from '../lib/locales.ts'
import { layOut, type Wording } from './layout.ts'
import { type Origin, TEXTS, type Texts } from './texts.ts'

/** One mail to one address, ready to send. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** What the console prints in place of the whole mail. */
  readonly consoleLine?: string
}

interface Recipient {
  readonly to: string
  /** BCP 47; null or unknown: English. */
  readonly locale: string | null
}
interface Client {
  readonly ip: string | null
  readonly userAgent: string | null
}

/** Says where the sign-up came from: whoever types the code gives the account to that person. */
export function verificationMail(
  mail: Recipient & Client & { code: string; expiresAt: string; signedUpAt: string },
): Mail {
  const { to, code, expiresAt: until, signedUpAt } = mail
  return {
    ...write(mail, (texts) =>
      texts.verification({ code, until, signedUpAt, from: originOf(mail) }),
    ),
    consoleLine: `🔑 Verification code for ${to}: ${code}`,
  }
}

/** For the owner of a registered address that somebody tried to sign up again. */
export function alreadyRegisteredMail(mail: Recipient & { publicUrl: string }): Mail {
  return write(mail, (texts) => texts.alreadyRegistered({ link: mail.publicUrl }))
}

/** After a refresh token that was already used came back: a copy of it may be in other hands. */
export function sessionReplayedMail(mail: Recipient & Client & { endedAt: string }): Mail {
  const { endedAt } = mail
  return write(mail, (texts) => texts.sessionReplayed({ endedAt, from: originOf(mail) }))
}

/**
 * Halfway to the deletion of an account that nobody verified. Holds no code: one that its reader did
 * not ask for is one that a stranger asked for.
 */
export function reminderMail(
  mail: Recipient & Client & { signedUpAt: string; deletedAt: string; publicUrl: string },
): Mail {
  const { signedUpAt, deletedAt: until, publicUrl: link } = mail
  return write(mail, (texts) => texts.reminder({ signedUpAt, until, from: originOf(mail), link }))
}

/** The link alone opens the account, so the mail says who asked for it. */
export function passwordResetMail(
  mail: Recipient &
    Client & {
      publicUrl: string
      token: string
      expiresAt: string
      requestedAt: string
      verifies: boolean
    },
): Mail {
  const { to, expiresAt: until, requestedAt, verifies } = mail
  // In the fragment no server, log or Referer ever sees it.
  const link = `${mail.publicUrl}/reset#token=${mail.token}`
  const from = mail.ip === null && mail.userAgent === null ? null : originOf(mail)
  return {
    ...write(mail, (texts) => texts.passwordReset({ link, until, requestedAt, from, verifies })),
    consoleLine: `🔑 Password reset link for ${to}: ${link}`,
  }
}

/** After a change or a reset, to whoever owned the password before. */
export function passwordChangedMail(mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(mail, (texts) => texts.passwordChanged({ at, from: originOf(mail) }))
}

/** To the address of an account that its own user, or a thief of the session and the password, deleted. */
export function accountDeletedMail(mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(mail, (texts) => texts.accountDeleted({ at, from: originOf(mail) }))
}

function write({ to, locale }: Recipient, word: (texts: Texts) => Wording): Mail {
  const language = localeOf(locale)
  return { to, ...layOut(word(TEXTS[language]), language) }
}

/** Mail programs make a link of it, and a stranger chose it: whoever signs up an address that is not theirs. */
const LOOKS_LIKE_A_LINK = /\/\/|@|[\p{L}\p{N}][.。．｡]\p{L}/u

function originOf({ ip, userAgent }: Client): Origin {
  const safe = userAgent !== null && !LOOKS_LIKE_A_LINK.test(userAgent)
  return { ip, device: safe ? userAgent : null }
}
