import { deviceOf } from '../lib/devices.ts'
import { localeOf } from '../lib/locales.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { layOut, type Shop, type Wording } from './layout.ts'
import { type Origin, TEXTS, type Texts } from './texts.ts'

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
  shop: Shop,
  mail: Recipient & Client & { code: string; expiresAt: string; signedUpAt: string },
): Mail {
  const { to, code, expiresAt: until, signedUpAt } = mail
  return {
    ...write(shop, mail, (texts) =>
      texts.verification(shop.name, { code, until, signedUpAt, from: originOf(mail) }),
    ),
    consoleLine: `🔑 Verification code for ${to}: ${code}`,
  }
}

/** For the owner of a registered address that somebody tried to sign up again. */
export function alreadyRegisteredMail(shop: Shop, mail: Recipient & { publicUrl: string }): Mail {
  return write(shop, mail, (texts) =>
    texts.alreadyRegistered(shop.name, { link: shop.url ?? mail.publicUrl }),
  )
}

/** After a refresh token that was already used came back: a copy of it may be in other hands. */
export function sessionReplayedMail(
  shop: Shop,
  mail: Recipient & Client & { endedAt: string },
): Mail {
  const { endedAt } = mail
  return write(shop, mail, (texts) =>
    texts.sessionReplayed(shop.name, { endedAt, from: originOf(mail) }),
  )
}

/** After a login from a device that no login of the last 30 days came from. */
export function newDeviceMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.newDevice(shop.name, { at, from: originOf(mail) }))
}

/**
 * Halfway to the deletion of an account that nobody verified. Holds no code: one that its reader did
 * not ask for is one that a stranger asked for.
 */
export function reminderMail(
  shop: Shop,
  mail: Recipient & Client & { signedUpAt: string; deletedAt: string; publicUrl: string },
): Mail {
  const { signedUpAt, deletedAt: until, publicUrl } = mail
  const link = shop.url ?? publicUrl
  return write(shop, mail, (texts) =>
    texts.reminder(shop.name, { signedUpAt, until, from: originOf(mail), link }),
  )
}

/** The link alone opens the account, so the mail says who asked for it. */
export function passwordResetMail(
  shop: Shop,
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
    ...write(shop, mail, (texts) =>
      texts.passwordReset(shop.name, { link, until, requestedAt, from, verifies }),
    ),
    consoleLine: `🔑 Password reset link for ${to}: ${link}`,
  }
}

/** After a change or a reset, to whoever owned the password before. */
export function passwordChangedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) =>
    texts.passwordChanged(shop.name, { at, from: originOf(mail) }),
  )
}

/** The same, to an address that the account had left: it may be nobody's any more, so no origin. */
export function leftPasswordChangedMail(
  shop: Shop,
  mail: Recipient & { publicUrl: string; token: string; at: string; undoUntil: string },
): Mail {
  const { at, undoUntil: until } = mail
  return write(shop, mail, (texts) =>
    texts.leftPasswordChanged(shop.name, { at, until, link: undoLink(mail) }),
  )
}

/** To the address of an account that its own user, or a thief of the session and the password, deleted. */
export function accountDeletedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.accountDeleted(shop.name, { at, from: originOf(mail) }))
}

/** To an address that a deleted account had left, and could have been taken back to. */
export function leftAccountDeletedMail(shop: Shop, mail: Recipient & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.leftAccountDeleted(shop.name, { at }))
}

/** To an address that a user wants to change to: whoever types the code gives it to that account. */
export function emailCodeMail(
  shop: Shop,
  mail: Recipient & Client & { code: string; expiresAt: string; requestedAt: string },
): Mail {
  const { to, code, expiresAt: until, requestedAt } = mail
  return {
    ...write(shop, mail, (texts) =>
      texts.emailCode(shop.name, { code, until, requestedAt, from: originOf(mail) }),
    ),
    consoleLine: `🔑 Verification code for ${to}: ${code}`,
  }
}

/** In place of the code, to the owner of an address that somebody else wanted to change to. */
export function emailTakenMail(
  shop: Shop,
  mail: Recipient & Client & { requestedAt: string },
): Mail {
  const { requestedAt } = mail
  return write(shop, mail, (texts) =>
    texts.emailTaken(shop.name, { requestedAt, from: originOf(mail) }),
  )
}

/** To the address that an account left: the link takes it back. */
export function emailChangedMail(
  shop: Shop,
  mail: Recipient & Client & { publicUrl: string; token: string; at: string; undoUntil: string },
): Mail {
  const { at, undoUntil: until } = mail
  const link = undoLink(mail)
  return write(shop, mail, (texts) =>
    texts.emailChanged(shop.name, { at, until, from: originOf(mail), link }),
  )
}

/** To the address that an account has now. */
export function emailConfirmedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.emailConfirmed(shop.name, { at, from: originOf(mail) }))
}

/**
 * To the address that an account had until the change to it was undone. It may be a thief's: where the
 * owner sits and with what is not told.
 */
export function emailUndoneMail(shop: Shop, mail: Recipient & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.emailUndone(shop.name, { at }))
}

function write(shop: Shop, { to, locale }: Recipient, word: (texts: Texts) => Wording): Mail {
  const language = localeOf(locale)
  return { to, ...layOut(shop, word(TEXTS[language]), language) }
}

/** In the fragment no server, log or Referer ever sees it. */
function undoLink({ publicUrl, token }: { publicUrl: string; token: string }): string {
  return `${publicUrl}/reset#undo=${token}`
}

function originOf({ ip, userAgent }: Client): Origin {
  return { ip, device: deviceOf(userAgent) }
}
