import type { Device } from '../lib/devices.ts'
import type { Origin, Texts } from './texts.ts'

export const ENGLISH: Texts = {
  verification: ({ code, until, signedUpAt, from }) => ({
    subject: 'Your Coffee Shop verification code',
    blocks: [
      { before: 'Your verification code is', code, after: `It works until ${time(until)}.` },
      `The sign-up came on ${time(signedUpAt)} from ${origin(from)}.`,
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
      `An old key of one of your sessions was used again on ${time(endedAt)} from ${origin(from)}.`,
      'It may have been copied, so we ended that session. Log in again to go on.',
      {
        warning:
          'Not you? Choose “Forgot password” in the app, and set a new one by the mail that comes: that ends every session.',
      },
    ],
  }),
  newDevice: ({ at, from }) => ({
    subject: 'New login to your Coffee Shop account',
    blocks: [
      `Somebody logged in to your account on ${time(at)} from ${origin(from)}.`,
      'No login of the last 30 days came from this device; a browser that was updated counts as a new one. If it was you, there is nothing to do.',
      {
        warning:
          'Not you? Then somebody knows your password. Choose “Forgot password” in the app at once, and set a new one by the mail that comes: that ends every session.',
      },
    ],
  }),
  reminder: ({ signedUpAt, until, from, link }) => ({
    subject: 'Your Coffee Shop account is not verified yet',
    blocks: [
      `This address was signed up on ${time(signedUpAt)} from ${origin(from)}.`,
      `Nobody has verified it yet. The account will be deleted on ${time(until)}.`,
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
      `The password of your account was changed on ${time(at)} from ${origin(from)}. Wherever else you were logged in, you were signed out.`,
      {
        warning:
          'Not you? Ask for a mail to reset your password and set a new one at once: that ends every session. Then change the password of your mailbox.',
      },
    ],
  }),
  leftPasswordChanged: ({ at, until, link }) => ({
    subject: 'Your Coffee Shop password was changed',
    blocks: [
      `The password of the account that left this email address was changed on ${time(at)}. All other sessions were signed out.`,
      { before: `Not you? Take your account back with this link, until ${time(until)}:`, link },
      'It brings this address back, signs out every session and has the password set anew by a mail to this address.',
      {
        warning:
          'If you changed address and password yourself, do nothing, and give the link to nobody: it gives the account to whoever reads mail to this address.',
      },
    ],
  }),
  passwordReset: ({ link, until, requestedAt, from, verifies }) => ({
    subject: 'Set a new Coffee Shop password',
    blocks: [
      from === null
        ? `This address is to get a new password; that was asked for on ${time(requestedAt)}.`
        : `Somebody, perhaps you, asked for a new password on ${time(requestedAt)} from ${origin(from)}.`,
      { before: `To choose one, open this link. It works once, until ${time(until)}:`, link },
      verifies
        ? 'Setting it also verifies this address, and drops every sign-up of it that waits for a code.'
        : from === null
          ? 'It signs you out everywhere. After a change of the address was taken back, nobody can log in until you set it.'
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
      `Your account was deleted on ${time(at)} from ${origin(from)}, by somebody who was logged in and typed its password.`,
      'Everything that was stored about you is gone. This is the last mail; you can sign up again at any time.',
      {
        warning:
          'Not you? Somebody knows your password: change it wherever else you use it. The account itself cannot be brought back.',
      },
    ],
  }),
  leftAccountDeleted: ({ at }) => ({
    subject: 'Your Coffee Shop account was deleted',
    blocks: [
      `The account that left this email address in the last 72 hours was deleted on ${time(at)} by somebody who runs Coffee Shop.`,
      'Everything that was stored about you is gone, and the change of the address cannot be undone any more. This is the last mail; you can sign up again at any time.',
      {
        warning:
          'It was not you who changed the address? Somebody knew your password: change it wherever else you use it.',
      },
    ],
  }),
  emailCode: ({ code, until, requestedAt, from }) => ({
    subject: 'Your code for a new Coffee Shop address',
    blocks: [
      {
        before: 'The code that makes this the address of your account is',
        code,
        after: `It works until ${time(until)}, once you have logged in.`,
      },
      `The change was asked for on ${time(requestedAt)} from ${origin(from)}.`,
      {
        warning:
          'Not you? Do not type this code, and give it to nobody: it would make your address somebody else’s.',
      },
    ],
  }),
  emailTaken: ({ requestedAt, from }) => ({
    subject: 'This address already has a Coffee Shop account',
    blocks: [
      `Somebody, perhaps you, wanted to give this address to another account on ${time(requestedAt)} from ${origin(from)}.`,
      'It belongs to an account, or did until a few days ago and is kept for its owner. Nothing has changed, and no code was sent.',
    ],
  }),
  emailChanged: ({ at, until, from, link }) => ({
    subject: 'The address of your Coffee Shop account was changed',
    blocks: [
      `Your account has had another email address since ${time(at)}. The change came from ${origin(from)}. All other sessions were signed out.`,
      { before: `Not you? Take your account back with this link, until ${time(until)}:`, link },
      'It brings this address back, signs out every session and has the password set anew by a mail to this address.',
      {
        warning:
          'If you made the change yourself, do nothing, and give the link to nobody: it gives the account to whoever reads mail to this address.',
      },
    ],
  }),
  emailConfirmed: ({ at, from }) => ({
    subject: 'This is the new address of your Coffee Shop account',
    blocks: [
      `Your account has had this email address since ${time(at)}: log in with it from now on. The change came from ${origin(from)}.`,
      'Your previous address was told, and can take the change back for 72 hours. All other sessions were signed out.',
      {
        warning: 'Not you? Then this account is not yours: do not use it.',
      },
    ],
  }),
  emailUndone: ({ at }) => ({
    subject: 'The change of your Coffee Shop address was undone',
    blocks: [
      `On ${time(at)} the account that had this email address went back to its previous one. Every session was signed out, and this address is free again.`,
      {
        warning:
          'Not you? Somebody else reads the mail of your previous address: change the password of that mailbox at once.',
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
  return `${ip ?? 'an unknown network'} with ${nameOf(device)}`
}

function nameOf(device: Device | null): string {
  if (device === null) return 'an unknown device'
  const { program, system } = device
  return `${program ?? 'an app'}${system === null ? '' : ` on ${system}`}`
}
