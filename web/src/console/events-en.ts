import { DEVICE_EN } from '../device-name.ts'
import { countIn, deviceIn, type Sentences, textIn } from './facts.ts'
import { MAIL_WORDS_EN } from './mail-words-en.ts'

const REASONS: Readonly<Record<string, string>> = {
  wrong_password: 'the password was wrong',
  unknown_address: 'the address has no account',
  email_unverified: 'the address is not verified',
  account_disabled: 'the account is disabled',
  login_locked: 'logins are locked after too many wrong passwords',
  too_many_attempts: 'there were too many attempts',
}

const ENDED: Readonly<Record<string, string>> = {
  unissued_token: 'A session was ended: it sent a refresh token that this service never issued.',
  wrong_passwords: 'A session was ended after too many wrong passwords.',
}

const FIELDS: Readonly<Record<string, string>> = { full_name: 'name' }

const as = (role: string) => (role === 'admin' ? 'as an admin' : 'as a user')
const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`
/** What ended with a change. */
const andEnded = (count: number) =>
  count === 0 ? '.' : `, and ${counted(count, 'session')} ended.`

/** Neutral: who did it, and to whom, is beside it. */
const sentences: Sentences = {
  'sign_up.received': () => 'Somebody signed up with the address.',
  'user.created': (facts) => `The account was created ${as(textIn(facts, 'role'))}.`,
  'user.invited': (facts) => `The user was invited ${as(textIn(facts, 'role'))}.`,
  'invitation.resent': (facts) =>
    `The invitation ${as(textIn(facts, 'role'))} was sent again; earlier links no longer work.`,
  'invitation.accepted': (facts) =>
    `The invitation ${as(textIn(facts, 'role'))} was accepted; the account is active.`,
  'invitation.revoked': (facts) => `The invitation ${as(textIn(facts, 'role'))} was revoked.`,
  'user.verified': () => 'The address was verified; the account is active.',
  'user.changed': ({ fields }) => {
    const names = Array.isArray(fields) ? fields.map((field) => FIELDS[field] ?? field) : []
    return names.length === 0 ? 'The user was changed.' : `Changed: ${names.join(', ')}.`
  },
  'user.role_changed': (facts) =>
    `The role was changed from ${textIn(facts, 'before')} to ${textIn(facts, 'after')}.`,
  'user.disabled': () => 'The account was disabled, and its sessions ended.',
  'user.enabled': () => 'The account was enabled again.',
  'user.deleted': () => 'The account was deleted.',
  'users.read': (facts) => `Read data of users: ${counted(countIn(facts, 'pages'), 'page')}.`,
  'clean_up.requested': ({ force }) =>
    force === true
      ? 'A clean-up was requested, without the check of the clock.'
      : 'A clean-up was requested.',
  'users.cleaned_up': (facts) =>
    `The clean-up deleted ${counted(countIn(facts, 'deleted'), 'account')} not verified in time.`,
  'users.clean_up_refused': (facts) =>
    `The clean-up stopped: it would have deleted ${countIn(facts, 'expired')} of ${countIn(facts, 'users')} accounts, and the clock may be wrong.`,
  'verification.resent': (facts) =>
    `The verification code was sent again: ${counted(countIn(facts, 'mails'), 'email')}.`,
  'login.failed': (facts) => {
    const reason = textIn(facts, 'reason')
    const device = deviceIn(facts, DEVICE_EN)
    const from = device === '' ? '' : ` (${device})`
    return `A login failed: ${REASONS[reason] ?? reason}${from}.`
  },
  'login.unlocked': () => 'The lock after wrong passwords was lifted.',
  'session.opened': (facts) => `The user logged in${andEnded(countIn(facts, 'ended'))}`,
  'session.reauthenticated': () => 'The password was confirmed.',
  'session.ended': (facts) => ENDED[textIn(facts, 'reason')] ?? 'A session was ended.',
  'session.replayed': () =>
    'A session was ended: an outdated refresh token was used, perhaps by a thief.',
  'sessions.ended': (facts) => {
    const ended = counted(countIn(facts, 'ended'), 'session')
    if (facts['of'] === 'all') return `The sessions of all users were ended: ${ended}.`
    if (facts['kept'] !== undefined) return `All other sessions were ended: ${ended}.`
    return facts['ended'] === undefined
      ? 'All sessions were ended.'
      : `All sessions were ended: ${ended}.`
  },
  'password.changed': (facts) =>
    `The password was changed${andEnded(countIn(facts, 'sessions_ended'))}`,
  'password.reset_requested': () => 'A link to set a new password was requested.',
  'password.reset': (facts) =>
    `A new password was set with an emailed link${andEnded(countIn(facts, 'sessions_ended'))}`,
  'password.refused': () => 'The current password was entered wrongly.',
  'email.change_requested': () => 'A change of the address was requested.',
  'email.changed': (facts) =>
    `The address was changed${andEnded(countIn(facts, 'sessions_ended'))}`,
  'email.change_undone': (facts) =>
    `The owner of the previous address undid its change${andEnded(countIn(facts, 'sessions_ended'))}`,
  'phone.changed': () => 'A phone number was confirmed.',
  'phone.removed': () => 'The phone number was removed.',
  'data.exported': () => 'The user exported their data.',
  'mail.resent': (facts) => {
    const kind = textIn(facts, 'kind')
    const words: Readonly<Record<string, string>> = MAIL_WORDS_EN.kinds
    return `A failed message was sent again: ${words[kind] ?? kind}.`
  },
  'mail.read': (facts) => `Read messages to users: ${counted(countIn(facts, 'pages'), 'page')}.`,
  'limit.reached': (facts) => `Requests exceeded a limit: ${textIn(facts, 'limit')}.`,
  'key.rotated': (facts) =>
    `A new key for access tokens was published: ${textIn(facts, 'alg')}, ${textIn(facts, 'kid')}.`,
}

export const EVENTS_EN = {
  sentences,
  self: 'the user',
  nobody: 'somebody not signed in',
  service: 'the service or an operator',
  about: 'Concerns',
  admin: (id: number) => `admin #${id}`,
  user: (id: number) => `user #${id}`,
}
