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

/** States the origin of the sign-up, because entering the code gives the account to the person who signed up. */
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

/** Notifies the owner of a registered address that somebody tried to sign up with it. */
export function alreadyRegisteredMail(shop: Shop, mail: Recipient & { publicUrl: string }): Mail {
  return write(shop, mail, (texts) =>
    texts.alreadyRegistered(shop.name, { link: shop.url ?? mail.publicUrl }),
  )
}

/** Reports the reuse of a refresh token, which may have been copied. */
export function sessionReplayedMail(
  shop: Shop,
  mail: Recipient & Client & { endedAt: string },
): Mail {
  const { endedAt } = mail
  return write(shop, mail, (texts) =>
    texts.sessionReplayed(shop.name, { endedAt, from: originOf(mail) }),
  )
}

/** Reports a login from a device without a login in the last 30 days. */
export function newDeviceMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.newDevice(shop.name, { at, from: originOf(mail) }))
}

/**
 * Reminds the owner halfway to the deletion of an unverified account. It has no code, because a code that
 * the reader did not request may be one that a stranger requested.
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

/** The link alone opens the account, so the mail states who requested it. */
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
  // No server, log or Referer sees a fragment.
  const link = `${mail.publicUrl}/reset#token=${mail.token}`
  const from = mail.ip === null && mail.userAgent === null ? null : originOf(mail)
  return {
    ...write(shop, mail, (texts) =>
      texts.passwordReset(shop.name, { link, until, requestedAt, from, verifies }),
    ),
    consoleLine: `🔑 Password reset link for ${to}: ${link}`,
  }
}

/** Reports a new password to the owner of the account. */
export function passwordChangedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) =>
    texts.passwordChanged(shop.name, { at, from: originOf(mail) }),
  )
}

/** Reports the same to the previous address, without the origin: that address may belong to somebody else. */
export function leftPasswordChangedMail(
  shop: Shop,
  mail: Recipient & { publicUrl: string; token: string; at: string; undoUntil: string },
): Mail {
  const { at, undoUntil: until } = mail
  return write(shop, mail, (texts) =>
    texts.leftPasswordChanged(shop.name, { at, until, link: undoLink(mail) }),
  )
}

/** Reports the deletion of an account by its user, or by a thief of the session and the password. */
export function accountDeletedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.accountDeleted(shop.name, { at, from: originOf(mail) }))
}

/** Reports the deletion to the previous address, which could have undone the change until then. */
export function leftAccountDeletedMail(shop: Shop, mail: Recipient & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.leftAccountDeleted(shop.name, { at }))
}

/** Sends the code to the new address; entering it assigns the address to that account. */
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

/** Takes the place of the code if the address belongs to somebody else. */
export function emailTakenMail(
  shop: Shop,
  mail: Recipient & Client & { requestedAt: string },
): Mail {
  const { requestedAt } = mail
  return write(shop, mail, (texts) =>
    texts.emailTaken(shop.name, { requestedAt, from: originOf(mail) }),
  )
}

/** Reports the change to the previous address, with a link that undoes it. */
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

/** Welcomes the new address of an account. */
export function emailConfirmedMail(shop: Shop, mail: Recipient & Client & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.emailConfirmed(shop.name, { at, from: originOf(mail) }))
}

/**
 * Reports the undone change to the address that lost the account. It may be a thief's, so the mail has
 * no origin.
 */
export function emailUndoneMail(shop: Shop, mail: Recipient & { at: string }): Mail {
  const { at } = mail
  return write(shop, mail, (texts) => texts.emailUndone(shop.name, { at }))
}

function write(shop: Shop, { to, locale }: Recipient, word: (texts: Texts) => Wording): Mail {
  const language = localeOf(locale)
  return { to, ...layOut(shop, word(TEXTS[language]), language) }
}

/** The token is in the fragment, which no server, log or Referer sees. */
function undoLink({ publicUrl, token }: { publicUrl: string; token: string }): string {
  return `${publicUrl}/reset#undo=${token}`
}

function originOf({ ip, userAgent }: Client): Origin {
  return { ip, device: deviceOf(userAgent) }
}
