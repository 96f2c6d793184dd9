/** One mail to one address, ready to send. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** What the console prints in place of the whole mail. */
  readonly consoleLine?: string
}

interface VerificationMail {
  readonly to: string
  readonly code: string
  /** RFC 3339. */
  readonly expiresAt: string
  readonly signedUpAt: string
  readonly ip: string | null
  readonly userAgent: string | null
}

/** Says where the sign-up came from: whoever types the code gives the account to that person. */
export function verificationMail(mail: VerificationMail): Mail {
  return {
    to: mail.to,
    subject: 'Your Coffee Shop verification code',
    text: `Your verification code is ${mail.code}. It works until ${minutes(mail.expiresAt)}.

The sign-up came ${minutes(mail.signedUpAt)} from ${origin(mail.ip, mail.userAgent)}.
Not you? Do not type this code: it would give your account to whoever started it.
`,
    consoleLine: `🔑 Verification code for ${mail.to}: ${mail.code}`,
  }
}

/** For the owner of a registered address that somebody tried to sign up again. */
export function alreadyRegisteredMail(mail: { to: string; publicUrl: string }): Mail {
  return {
    to: mail.to,
    subject: 'You already have a Coffee Shop account',
    text: `Somebody, perhaps you, tried to sign up with this address, which already has an account.
Nothing has changed. To use your account, log in with the password you have: ${mail.publicUrl}
`,
  }
}

/** After a refresh token that was already used came back: a copy of it may be in other hands. */
export function sessionReplayedMail(mail: {
  to: string
  endedAt: string
  ip: string | null
  userAgent: string | null
}): Mail {
  return {
    to: mail.to,
    subject: 'We signed out one of your Coffee Shop sessions',
    text: `An old sign-in key of one of your sessions was used again ${minutes(mail.endedAt)}
from ${origin(mail.ip, mail.userAgent)}.
It may have been copied, so we ended that session. Log in again to go on.
If you do not know this device, change your password.
`,
  }
}

/** Mail programs make a link of it, and a stranger chose it: whoever signs up an address that is not theirs. */
const LOOKS_LIKE_A_LINK = /:\/\/|@|[\p{L}\p{N}]\.\p{L}/u

function origin(ip: string | null, userAgent: string | null): string {
  const known = userAgent !== null && !LOOKS_LIKE_A_LINK.test(userAgent)
  return `${ip ?? 'an unknown network'} with ${known ? `“${userAgent}”` : 'an unknown device'}`
}

/** `2026-11-22 17:40 UTC` */
function minutes(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
