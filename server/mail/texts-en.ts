import type { Origin, Texts } from './texts.ts'

export const ENGLISH: Texts = {
  verification: ({ code, until, signedUpAt, from }) => ({
    subject: 'Your Coffee Shop verification code',
    blocks: [
      { before: 'Your verification code is', code, after: `It works until ${time(until)}.` },
      `The sign-up came ${time(signedUpAt)} from ${origin(from)}.`,
      {
        warning:
          'Not you? Do not type this code: it would give your account to whoever started it.',
      },
    ],
  }),
  alreadyRegistered: ({ link }) => ({
    subject: 'You already have a Coffee Shop account',
    blocks: [
      'Somebody, perhaps you, tried to sign up with this address, which already has an account. Nothing has changed.',
      { before: 'To use your account, log in with the password you have:', link },
    ],
  }),
  sessionReplayed: ({ endedAt, from }) => ({
    subject: 'We signed out one of your Coffee Shop sessions',
    blocks: [
      `An old sign-in key of one of your sessions was used again ${time(endedAt)} from ${origin(from)}.`,
      'It may have been copied, so we ended that session. Log in again to go on.',
      { warning: 'If you do not know this device, change your password.' },
    ],
  }),
  reminder: ({ signedUpAt, until, from, link }) => ({
    subject: 'Your Coffee Shop account is not verified yet',
    blocks: [
      `This address was signed up ${time(signedUpAt)} from ${origin(from)}.`,
      `Nobody has verified it yet. The account will be deleted ${time(until)}.`,
      { before: 'To keep it, ask for a new code where you signed up, and type it there:', link },
      {
        warning:
          'Not you? Do nothing: the account goes by itself. Never type a code that you did not ask for.',
      },
    ],
  }),
  passwordChanged: ({ at, from }) => ({
    subject: 'Your Coffee Shop password was changed',
    blocks: [
      `The password of your account was changed ${time(at)} from ${origin(from)}. All other sessions were signed out.`,
      {
        warning:
          'Not you? Ask for a mail to reset your password and set a new one at once: that ends every session. Then change the password of your mailbox.',
      },
    ],
  }),
  passwordReset: ({ link, until, requestedAt, from, verifies }) => ({
    subject: 'Set a new Coffee Shop password',
    blocks: [
      from === null
        ? `This address is to get a new password; that was asked for ${time(requestedAt)}.`
        : `Somebody, perhaps you, asked for a new password ${time(requestedAt)} from ${origin(from)}.`,
      { before: `To choose one, open this link. It works once, until ${time(until)}:`, link },
      verifies
        ? 'Setting it also verifies this address, and drops every sign-up of it that waits for a code.'
        : 'It signs you out everywhere. Until you set it, nothing has changed.',
      {
        warning:
          'Not you? Do nothing, and give the link to nobody: it opens your account to whoever has it.',
      },
    ],
  }),
  accountDeleted: ({ at, from }) => ({
    subject: 'Your Coffee Shop account was deleted',
    blocks: [
      `Your account was deleted ${time(at)} from ${origin(from)}, by somebody who was signed in and typed its password.`,
      'Everything that was stored about you is gone. This is the last mail; you can sign up again at any time.',
      {
        warning:
          'Not you? Somebody knows your password: change it wherever else you use it. The account itself cannot be brought back.',
      },
    ],
  }),
  phoneCode: ({ code }) =>
    `${code} is your Coffee Shop code. It works for ten minutes. Give it to nobody; if you did not ask for it, ignore this message.`,
}

/** `2026-11-22 17:40 UTC` */
function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

function origin({ ip, device }: Origin): string {
  return `${ip ?? 'an unknown network'} with ${device === null ? 'an unknown device' : `“${device}”`}`
}
