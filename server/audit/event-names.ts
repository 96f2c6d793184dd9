/**
 * Everything that is recorded, with what it means. Names are API: people filter by them. `<noun>.<past
 * participle>`; the subject is the user it happened to, the actor who did it.
 */
export const EVENTS = {
  'sign_up.received': 'Somebody signed an address up and was told 201.',
  'user.created': 'An operator made a verified account.',
  'user.verified': 'The address was proved by its code; the account is active.',
  'user.changed': 'An admin or the user changed a field; role and state have events of their own.',
  'user.role_changed': 'The role was changed.',
  'user.disabled': 'The account was disabled and its sessions ended.',
  'user.enabled': 'The account was enabled again.',
  'user.deleted': 'The account was deleted.',
  'users.cleaned_up': 'A run of the clean-up deleted accounts that nobody verified in time.',
  'users.clean_up_refused': 'A run of the clean-up stopped: it would have deleted too many.',
  'session.opened': 'Somebody logged in.',
  'session.ended':
    'A session was ended by its user, or (`reason`) because it guessed at the password, or sent a refresh token that this database never issued.',
  'session.replayed': 'A used refresh token came back; its session was ended.',
  'sessions.ended': 'Several sessions of a user were ended at once.',
  'password.changed': 'The user changed the password.',
  'password.reset_requested': 'A mail to reset the password was made.',
  'password.reset': 'The password was set anew by a mailed link.',
  'password.refused': 'The current password, asked for once more, was wrong.',
  'email.change_requested': 'A change of the address was begun.',
  'email.changed': 'The new address was proved and counts.',
  'email.change_undone': 'The owner of the old address took the change back.',
  'phone.changed': 'A phone number was proved.',
  'phone.removed': 'The phone number was removed.',
  'data.exported': 'The user fetched everything that is stored about them.',
  'mail.resent': 'An admin sent a failed message again.',
  'limit.reached': 'Requests were refused by a rate limit; once per key and window.',
  'key.rotated': 'A new key for access tokens was published.',
} as const

export type AuditEventName = keyof typeof EVENTS
