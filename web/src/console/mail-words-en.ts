import type { MailKinds, MailStates } from './facts.ts'

const kinds: MailKinds = {
  verification: 'Verification code',
  verification_again: 'Verification code, again',
  repeat_verification: 'Request to send the codes again',
  already_registered: 'Sign-up with an address that has an account',
  reminder: 'Reminder to verify the address',
  invitation: 'Invitation',
  new_device: 'Login from a new device',
  session_replayed: 'Session ended: its key was perhaps copied',
  password_reset: 'Request for a link to set a password',
  reset_link: 'Link to set a password',
  password_changed: 'Password changed',
  password_changed_left: 'Password changed, to the previous address',
  email_code: 'Code for a new address',
  email_changed: 'Address changed, to the previous one',
  email_confirmed: 'Address changed, to the new one',
  email_undone: 'Change of the address undone',
  admin_changed: 'Change of an admin, to the admins',
  user_deleted: 'User deleted, to the admins',
  phone_code: 'Code for a phone number',
  account_deleted: 'Account deleted',
}

const states: MailStates = {
  waiting: 'Waiting',
  sent: 'Sent',
  dropped: 'Dropped: no longer needed',
  bounced: 'Rejected by the recipient’s server',
  dead: 'Failed after several attempts',
}

export const MAIL_WORDS_EN = { kinds, states }
