/**
 * Every audit event with its description. The names are API, because clients filter by them: `<noun>.<past
 * participle>`. The subject is the affected user; the actor caused the event.
 */
export const EVENTS = {
  'sign_up.received': 'A sign-up was accepted with 201.',
  'user.created': 'An operator created a verified account.',
  'user.invited': 'An admin invited a user; `role` is what accepting gives.',
  'invitation.resent': 'An admin had an invitation mailed again; earlier links no longer work.',
  'invitation.accepted':
    'The user chose a password with the link of the invitation; the account is active.',
  'invitation.revoked':
    'An invitation was revoked, or ended with the disabling of its user; `role` is what it gave.',
  'user.verified': 'The address was verified with its code; the account is active.',
  'user.changed':
    'An admin or the user changed a field; changes of role and state have separate events.',
  'user.role_changed': 'The role was changed.',
  'user.disabled': 'The account was disabled and its sessions ended.',
  'user.enabled': 'The account was re-enabled.',
  'user.deleted': 'The account was deleted.',
  'users.read':
    'An admin read users, their sessions or their events; `pages` counts the pages of lists and the single users that one IP address read within an hour.',
  'clean_up.requested': 'An admin requested a clean-up; `force` skips its check of the clock.',
  'users.cleaned_up':
    'The clean-up deleted accounts that were not verified in time. The actor is the admin who requested it.',
  'users.clean_up_refused':
    'The clean-up stopped because it would have deleted most accounts, and the clock was in doubt.',
  'verification.resent':
    'An admin had the codes of pending sign-ups mailed again; `mails` counts them.',
  'login.failed':
    'A login failed (see `reason`); recorded once per address, reason and hour. Without a subject if the address is not registered.',
  'login.unlocked': 'An admin or an operator lifted the lock after wrong passwords.',
  'session.opened': 'A user logged in.',
  'session.reauthenticated': 'A user confirmed the password within a session.',
  'session.ended':
    'A session was ended by its user, or (see `reason`) because it tried to guess the password or sent a refresh token that this database never issued.',
  'session.replayed': 'A refresh token was reused; its session was ended.',
  'sessions.ended': 'Several sessions of a user were ended at once.',
  'password.changed': 'The user changed the password.',
  'password.reset_requested': 'An email to reset the password was created.',
  'password.reset': 'The password was reset with an emailed link.',
  'password.refused': 'The confirmation of the current password failed.',
  'email.change_requested': 'A change of the address was requested.',
  'email.changed': 'The new address was confirmed and is in use.',
  'email.change_undone': 'The owner of the previous address undid the change.',
  'phone.changed': 'A phone number was confirmed.',
  'phone.removed': 'The phone number was removed.',
  'data.exported': 'The user exported their data.',
  'mail.resent': 'An admin or an operator resent a failed message.',
  'mail.read': 'An admin listed messages and their recipients; `pages` counts as in `users.read`.',
  'limit.reached': 'A rate limit refused requests; recorded once per key and window.',
  'key.rotated': 'A new key for access tokens was published.',
} as const

export type AuditEventName = keyof typeof EVENTS
