/** Every migration, in the order in which they run. */
export const MIGRATIONS = [
  '0001-initial',
  '0002-mail-and-jobs',
  '0003-account-life',
  '0004-one-row-a-job',
  '0005-erasures',
  '0006-reauthentication',
  '0007-keys-in-use',
  '0008-turns',
  '0009-login-unlocks',
  '0010-drop-job-runs',
  '0011-user-search',
  '0012-user-lists',
  '0013-session-indexes',
  '0014-audit-indexes',
  '0015-outbox-lists',
  '0016-drop-indexes',
  '0017-invitations',
]

/** Every table that they leave. */
export const TABLES = [
  'audit_events',
  'audit_leftovers',
  'code_failures',
  'email_changes',
  'erasures',
  'invitations',
  'jobs',
  'keys_in_use',
  'outbox',
  'password_resets',
  'phone_changes',
  'sessions',
  'sign_ups',
  'users',
]
