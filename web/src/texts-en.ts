import type { ErrorCode } from '../../client/index.ts'

/** Each code with what to do now; `{wait}` is the time to wait. A code without a sentence does not compile. */
type Problems = Readonly<Record<ErrorCode, string>>

const problems: Problems = {
  malformed_request: 'The page sent something wrong. Reload it and try again.',
  invalid_code:
    'This code is wrong or expired. Enter the one from the latest email; after five wrong codes, wait an hour.',
  invalid_reset_token: 'This link is no longer valid. Request another one.',
  invalid_undo_token: 'This link is no longer valid. If you need help, contact us.',
  authentication_required: 'You are signed out. Sign in again.',
  invalid_token: 'You were signed out. Sign in again.',
  invalid_credentials: 'Email or password is wrong. Check both, or choose “Forgot password?”.',
  forbidden: 'Your account may not do this. Ask an admin.',
  cross_site_request:
    'This page is open at another address than the service knows. Open it by its usual address.',
  email_unverified: 'Your address is not verified yet. Enter the code that we emailed you.',
  wrong_password: 'The current password is wrong. Enter it again.',
  reauthentication_required: 'Confirm your password to do this.',
  account_disabled: 'This account is disabled. Contact us.',
  own_role: 'Nobody can change their own role or disable themselves. Ask another admin.',
  not_found: 'This does not exist any more. Reload the page.',
  method_not_allowed: 'This page is of an older version. Reload it.',
  request_timeout: 'The connection was too slow. Try again.',
  email_taken: 'This address already has an account. Sign in, or choose “Forgot password?”.',
  last_admin: 'The service needs an active admin. Appoint another one first.',
  email_change_undoable:
    'The last change of the address can still be undone. Try again 72 hours after it.',
  user_inactive: 'Only a verified and enabled user can become an admin.',
  user_unverified:
    'The address of this user is not verified. Send the code or the invitation again.',
  user_verified: 'This user is verified already. Reload the page.',
  user_disabled: 'This user is disabled. Enable the account first.',
  job_busy: 'The clean-up is running, or about to. Try again when it has finished.',
  mail_not_failed: 'Only a message that failed can be sent again. Reload the page.',
  body_too_large: 'This is too long. Shorten it and try again.',
  uri_too_long: 'This is too long. Shorten it and try again.',
  unsupported_media_type: 'This page is of an older version. Reload it.',
  validation_failed: 'Check what you entered and try again.',
  too_many_sign_ups:
    'This address has too many open sign-ups. Choose “Forgot password?”: its link verifies the address, too.',
  too_many_requests: 'Too many attempts. Try again in {wait}.',
  login_locked:
    'Too many wrong passwords for this address. Choose “Forgot password?” or sign in on a device that you used recently.',
  headers_too_large: 'Your browser sends too much. Delete the cookies of this site and try again.',
  internal_error: 'Something went wrong on our side. Try again later.',
  overloaded: 'The service is busy. Try again in {wait}.',
  database_unavailable: 'The service is busy. Try again in {wait}.',
  unreachable: 'The service cannot be reached. Check your connection and try again.',
}

export const EN = {
  problems,
  /** Instead of a problem whose time to wait is over. */
  waited: 'You can try again now.',
  wait: (seconds: number) => (seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`),
  /** By the API’s code for a refused field, and the field where it matters. */
  refusals: {
    required: 'Fill in this field.',
    minLength: 'Fill in this field.',
    maxLength: 'This is too long.',
    'format/email': 'Enter an email address, such as ann@example.com.',
    'pattern/code': 'Enter the six digits.',
    too_short: 'The password must have at least {min} characters.',
    too_long: 'The password is too long: at most 256 characters.',
    blocklisted: '{detail}',
    unchanged: 'This is what it already is. Enter something else.',
    characters: 'This contains an invalid character. Delete it.',
    malformed: 'The password contains an invalid character.',
  },
  email: 'Email',
  password: 'Password',
  newPassword: 'New password',
  passwordHint: (min: string) =>
    `At least ${min} characters. Several unrelated words make a good password.`,
  show: 'Show password',
  hide: 'Hide password',
  loading: 'Loading',
  tryAgain: 'Try again',
  /** For a part of the app that is missing or broken. */
  reload: {
    title: 'This page cannot be shown',
    text: 'There may be a newer version of it. Reload the page.',
    submit: 'Reload',
  },
  toSignIn: 'Go to sign-in',
  back: (shop: string) => `Back to ${shop}`,
  footer: { label: 'For developers', docs: 'API documentation', status: 'Service status' },
  signIn: {
    title: 'Sign in',
    submit: 'Sign in',
    forgot: 'Forgot password?',
    newHere: 'New here?',
    signUp: 'Create an account',
    enterCode: 'Enter the code',
  },
  account: 'Your account',
  signOut: 'Sign out',
  deleted: 'Your account and your data are deleted.',
  cancel: 'Cancel',
  proof: {
    title: 'Confirm your password',
    text: 'Your login was a while ago. Enter your password to go on.',
    submit: 'Confirm',
  },
  signUp: {
    title: 'Create an account',
    name: 'Name (optional)',
    submit: 'Create account',
    known: 'Already have an account?',
  },
  verify: {
    title: 'Check your email',
    intro: (email: string) => `Enter the six-digit code that we sent to ${email}.`,
    introUnknown: 'Enter your address and the six-digit code that we sent there.',
    didYouMean: (email: string) => `Did you mean ${email}?`,
    correct: 'Correct the address',
    code: 'Code',
    submit: 'Verify',
    resend: 'Send the code again',
    resendIn: (seconds: number) => `Send again in ${seconds} s`,
    resent: 'If the address is waiting for its code, it is on its way again.',
    doneTitle: 'Your address is verified',
    doneText: 'You can sign in now.',
  },
  forgot: {
    title: 'Forgot password?',
    intro: 'We email you a link that sets a new password.',
    submit: 'Send the link',
    doneTitle: 'Check your email',
    doneText: (email: string) =>
      `If ${email} has an account, a link is on its way. It works for 30 minutes. Look into the spam folder, too.`,
  },
  reset: {
    title: 'Choose a new password',
    intro: 'It replaces your current password and logs out every device.',
    submit: 'Set password',
    doneTitle: 'Your new password is set',
    doneText: 'All devices were logged out. Sign in with the new password.',
    lostTitle: 'This link is no longer valid',
    lostText:
      'The link was already used, is older than 30 minutes, or was revoked. Request another link and open the latest email.',
    emptyTitle: 'Open the link from the email',
    emptyText:
      'This page needs the complete link that we emailed you. If you have no link, request one.',
    request: 'Request a link',
  },
  invitation: {
    title: 'Choose a password',
    intro: (shop: string) =>
      `It completes your account at ${shop}, with the address of the email that invited you.`,
    doneTitle: 'Your account is ready',
    doneText: 'Sign in with your email address and the password.',
    lostTitle: 'This invitation is no longer valid',
    lostText:
      'It was already accepted, is older than seven days, or was replaced or revoked. Open the latest email, or ask for another invitation.',
  },
  undo: {
    title: 'Undo the change of your address?',
    intro: 'The email address of your account was changed. If this was not you, undo the change.',
    effect:
      'This restores your previous address, logs out every device, disables your password, and emails you a link to set a new one.',
    submit: 'Undo the change',
    doneTitle: 'The change was undone',
    doneText:
      'Your previous address was restored, and all devices were logged out. Open the email that we are sending you and set a new password.',
    lostTitle: 'This link is no longer valid',
    lostText:
      'The link was already used, is older than 72 hours, or became invalid because an earlier change was undone. If you need help, contact us.',
  },
}

export type Texts = typeof EN
