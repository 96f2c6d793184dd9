import type { Device } from '../lib/devices.ts'
import type { Account, Origin, Texts } from './texts.ts'

export const ENGLISH: Texts = {
  verification: (shop, { code, until, signedUpAt, from }) => ({
    subject: `Your ${shop} verification code`,
    blocks: [
      { before: 'Your verification code is', code, after: `It is valid until ${time(until)}.` },
      `Someone signed up with this address on ${time(signedUpAt)} from ${origin(from)}.`,
      {
        warning:
          'If this was not you, do not enter or share this code: it would let someone else use an account with your address. If you want an account, choose “Forgot password” in the app instead and set a password with the link that we email you.',
      },
    ],
  }),
  alreadyRegistered: (shop, { link }) => ({
    subject: `You already have a ${shop} account`,
    blocks: [
      'Someone, perhaps you, tried to sign up with this address, which already has an account. Nothing has changed.',
      { before: 'To use your account, log in with your existing password:', link },
    ],
  }),
  sessionReplayed: (shop, { endedAt, from }) => ({
    subject: `We logged out one of your ${shop} devices`,
    blocks: [
      `An outdated login key of one of your devices was used on ${time(endedAt)} from ${origin(from)}.`,
      'It may have been copied, so we logged out that device. Please log in again.',
      {
        warning:
          'If you do not recognize these details, choose “Forgot password” in the app and set a new password with the link that we email you. This logs out every device.',
      },
    ],
  }),
  invitation: (shop, { link, until }) => ({
    subject: `Your invitation to ${shop}`,
    blocks: [
      `${shop} invites you to an account with this email address.`,
      {
        before: `To accept, open this link and choose a password. It works once, until ${time(until)}:`,
        link,
      },
      {
        warning:
          'If you did not expect this, do nothing and do not share the link: the account will be deleted automatically.',
      },
    ],
  }),
  newDevice: (shop, { at, from }) => ({
    subject: `New login to your ${shop} account`,
    blocks: [
      `Someone logged in to your account on ${time(at)} from ${origin(from)}.`,
      'There was no login from this device in the last 30 days; an updated browser counts as a new device. If this was you, you do not need to do anything.',
      {
        warning:
          'If this was not you, someone knows your password. Choose “Forgot password” in the app immediately and set a new password with the link that we email you. This logs out every device.',
      },
    ],
  }),
  reminder: (shop, { signedUpAt, until, from, link }) => ({
    subject: `Your ${shop} account is not verified yet`,
    blocks: [
      `Someone signed up with this address on ${time(signedUpAt)} from ${origin(from)}.`,
      `The address has not been verified yet. The account will be deleted on ${time(until)}.`,
      {
        before:
          'To keep it, choose “Forgot password” where you signed up and set a password with the link that we email you, which also verifies the address:',
        link,
      },
      {
        warning:
          'If this was not you, do nothing: the account will be deleted automatically. Never enter a code from a sign-up that was not yours.',
      },
    ],
  }),
  passwordChanged: (shop, { at, from }) => ({
    subject: `Your ${shop} password was changed`,
    blocks: [
      `The password of your account was changed on ${time(at)} from ${origin(from)}. All other devices were logged out.`,
      {
        warning:
          'If this was not you, choose “Forgot password” in the app immediately and set a new password with the link that we email you. This logs out every device. Then change the password of your mailbox.',
      },
    ],
  }),
  previousAddressPasswordChanged: (shop, { at, until, link }) => ({
    subject: `Your ${shop} password was changed`,
    blocks: [
      `The password of the account that used this email address until recently was changed on ${time(at)}. All other devices were logged out.`,
      {
        before: `If this was not you, recover your account with this link until ${time(until)}:`,
        link,
      },
      'The link restores this address, logs out every device and emails you a link to set a new password.',
      {
        warning:
          'If you changed the address and the password yourself, do nothing and do not share the link: it gives the account to anyone who can read the emails sent to this address.',
      },
    ],
  }),
  passwordReset: (shop, { link, until, requestedAt, from, verifies }) => ({
    subject: `Set a new ${shop} password`,
    blocks: [
      from === null
        ? `A new password for your account was requested on ${time(requestedAt)}.`
        : `Someone, perhaps you, requested a new password on ${time(requestedAt)} from ${origin(from)}.`,
      {
        before: `To set a new password, open this link. It works once, until ${time(until)}:`,
        link,
      },
      verifies
        ? 'A new password also verifies this address and cancels every pending sign-up with it.'
        : from === null
          ? 'A new password logs out every device. If a change of your address was undone, nobody can log in until you set it.'
          : 'A new password logs out every device. Until you set it, nothing changes.',
      {
        warning:
          'If this was not you, do nothing and do not share the link: anyone who has it can take over your account.',
      },
    ],
  }),
  accountDeleted: (shop, { at, from }) => ({
    subject: `Your ${shop} account was deleted`,
    blocks: [
      `Your account was deleted on ${time(at)} from ${origin(from)} by someone who was logged in and entered its password.`,
      'All personal data stored about you was deleted. This is our last email. You can sign up again at any time.',
      {
        warning:
          'If this was not you, someone knows your password: change it everywhere else you use it. The account cannot be restored.',
      },
    ],
  }),
  previousAddressAccountDeleted: (shop, { at }) => ({
    subject: `Your ${shop} account was deleted`,
    blocks: [
      `The account that used this email address until recently was deleted on ${time(at)} by an admin of ${shop}.`,
      'All personal data stored about you was deleted, and the change of the address can no longer be undone. This is our last email. You can sign up again at any time.',
      {
        warning:
          'If you did not change the address, someone knew your password: change it everywhere else you use it.',
      },
    ],
  }),
  emailCode: (shop, { code, until, requestedAt, from }) => ({
    subject: `Confirm the new address of your ${shop} account`,
    blocks: [
      {
        before: 'Your code to confirm this address for your account is',
        code,
        after: `It is valid until ${time(until)}. Log in before you enter it.`,
      },
      `The change was requested on ${time(requestedAt)} from ${origin(from)}.`,
      {
        warning:
          'If this was not you, do not enter or share this code: it would assign your address to someone else’s account.',
      },
    ],
  }),
  emailTaken: (shop, { requestedAt, from }) => ({
    subject: `This address is already in use at ${shop}`,
    blocks: [
      `Someone, perhaps you, requested this address for another account on ${time(requestedAt)} from ${origin(from)}.`,
      'The address belongs to an account, or is still reserved for its previous owner after a change. Nothing has changed, and no code was sent.',
    ],
  }),
  emailChanged: (shop, { at, until, from, link }) => ({
    subject: `The address of your ${shop} account was changed`,
    blocks: [
      `Your account was changed to a different email address on ${time(at)} from ${origin(from)}. All other devices were logged out.`,
      {
        before: `If this was not you, recover your account with this link until ${time(until)}:`,
        link,
      },
      'The link restores this address, logs out every device and emails you a link to set a new password.',
      {
        warning:
          'If you made the change yourself, do nothing and do not share the link: it gives the account to anyone who can read the emails sent to this address.',
      },
    ],
  }),
  emailConfirmed: (shop, { at, from }) => ({
    subject: `Your ${shop} account has a new address`,
    blocks: [
      `Your account was changed to this email address on ${time(at)} from ${origin(from)}. Use it to log in from now on.`,
      'We notified your previous address, which can undo the change for 72 hours. All other devices were logged out.',
      {
        warning: 'If this was not you, this account is not yours: do not use it.',
      },
    ],
  }),
  emailUndone: (shop, { at }) => ({
    subject: `The change of your ${shop} email address was undone`,
    blocks: [
      `On ${time(at)} the account that used this email address was changed back to its previous address. All devices were logged out, and this address is available again.`,
      {
        warning:
          'If this was not you, someone else has access to the mailbox of your previous address: change its password immediately.',
      },
    ],
  }),
  adminAct: (shop, { at, act, subject, actor }) => ({
    subject: {
      invited: `An admin of ${shop} was invited`,
      uninvited: `The invitation of an admin of ${shop} was revoked`,
      promoted: `${shop} has a new admin`,
      demoted: `An admin of ${shop} lost the admin role`,
      disabled: `An admin of ${shop} was disabled`,
      enabled: `An admin of ${shop} was enabled again`,
      deleted: `A user of ${shop} was deleted`,
    }[act],
    blocks: [
      {
        invited: `On ${time(at)}, ${account(subject)} was invited by ${actorName(actor)} to become an admin. Accepting the invitation within seven days gives the admin role; until then, an admin can revoke it.`,
        uninvited: `On ${time(at)}, the invitation of ${account(subject)} to become an admin was revoked by ${actorName(actor)}.`,
        promoted: `On ${time(at)}, ${account(subject)} was made an admin by ${actorName(actor)}.`,
        demoted: `On ${time(at)}, the admin role of ${account(subject)} was taken away by ${actorName(actor)}.`,
        disabled: `On ${time(at)}, ${account(subject)}, an admin, was disabled and logged out by ${actorName(actor)}.`,
        enabled: `On ${time(at)}, ${account(subject)}, an admin, was enabled again by ${actorName(actor)}.`,
        deleted: `On ${time(at)}, ${account(subject)} was deleted by ${actorName(actor)}.`,
      }[act],
      ...(act === 'deleted' ? [MORE_DELETIONS] : []),
      ADMIN_WARNING,
    ],
  }),
  phoneCode: (shop, { code }) =>
    `${code} is your ${shop} code. It expires in ten minutes. Do not share it. If you did not request it, ignore this message.`,
}

const MORE_DELETIONS =
  'More users may have been deleted since: we send at most five of these emails an hour. The audit log lists every deletion.'

const ADMIN_WARNING = {
  warning:
    'If your account is named here and this was not you, choose “Forgot password” in the app immediately and set a new password with the link that we email you. This logs out every device. If nobody intended it, someone else may be using that account: the audit log shows what else was done, and from where.',
}

function account({ id, email }: Account): string {
  return `user ${id}${email === null ? '' : ` (${email})`}`
}

function actorName(actor: Account | null): string {
  return actor === null ? 'an operator of the service' : account(actor)
}

/** `2026-11-22 17:40 UTC` */
function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

function origin({ ip, device }: Origin): string {
  return `${ip === null ? 'an unknown network' : `IP address ${ip}`} with ${nameOf(device)}`
}

function nameOf(device: Device | null): string {
  if (device === null) return 'an unknown device'
  const { program, system } = device
  return `${program ?? 'an app'}${system === null ? '' : ` on ${system}`}`
}
