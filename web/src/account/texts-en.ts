import { DEVICE_EN } from '../device-name.ts'

export const EN = {
  device: DEVICE_EN,
  admin: 'Admin',
  console: 'Open the console',
  currentPassword: 'Current password',
  enterCode: 'Enter the code',
  codeOnItsWay: (to: string) =>
    `If ${to} can be used for your account, a six-digit code is on its way there.`,
  confirm: 'Confirm',
  profile: {
    title: 'Profile',
    submit: 'Save',
    done: 'Your name is saved.',
  },
  email: {
    title: 'Email address',
    change: 'Change the address',
    intro:
      'We email a code to the new address. Your current address stays in use until you enter the code.',
    effect:
      'The change then signs out all your other devices. We tell your current address, which can undo the change for 72 hours.',
    newEmail: 'New email',
    submit: 'Send the code',
    codeHelp: 'It works for one hour. Look into the spam folder, too.',
    done: (email: string) =>
      `Your address is now ${email}: sign in with it from now on. Your other devices were signed out. For 72 hours, the email that we sent to your previous address can undo the change.`,
  },
  phone: {
    title: 'Phone',
    none: 'No phone number.',
    add: 'Add a number',
    change: 'Change the number',
    intro: 'We send you a text message with a code.',
    number: 'Phone number',
    numberHint: 'With the country code, such as +44 7700 900123.',
    invalidNumber: 'Enter a number with its country code, such as +44 7700 900123.',
    submit: 'Send the code',
    codeHelp:
      'It works for ten minutes. If no message arrives, check the number and ask for another code after a minute.',
    invalidCode:
      'This code is wrong or expired. Enter the one from the latest text message; after five wrong codes, wait an hour.',
    done: (phone: string) => `Your number is now ${phone}.`,
    remove: 'Remove the number',
    removeTitle: 'Remove your number?',
    removeText: (phone: string) => `${phone} is deleted from your account.`,
    removed: 'The number is removed.',
  },
  password: {
    title: 'Password',
    change: 'Change the password',
    effect:
      'The change signs out all your other devices; you stay signed in here. We tell you by email.',
    adminHint: 'Passwords that are easy to guess are refused for admins.',
    submit: 'Set password',
    done: 'Your new password is set. Your other devices were signed out.',
  },
  sessions: {
    title: 'Where you are signed in',
    here: 'This device',
    used: 'Last used',
    signedIn: 'Signed in',
    from: 'IP address',
    unknownIp: 'unknown',
    end: 'Sign out',
    endOne: (device: string, signedIn: string) => `Sign out: ${device}, signed in ${signedIn}`,
    endOthers: 'Sign out all other devices',
    endOthersTitle: 'Sign out all other devices?',
    endOthersText: 'Whoever uses them has to sign in again. You stay signed in here.',
    ended: 'The device is signed out.',
    endedOthers: 'All other devices are signed out.',
  },
  data: {
    title: 'Your data',
    text: 'Everything that we store about you, as a JSON file. Keep it where nobody else can read it.',
    submit: 'Download my data',
    done: (file: string) => `${file} is downloaded.`,
  },
  remove: {
    title: 'Delete the account',
    text: 'Deletes your account and all personal data for good. Nobody can restore them.',
    open: 'Delete my account',
    dialogTitle: 'Delete your account?',
    dialogText: (email: string) =>
      `Your account and all personal data are deleted at once, and all devices are signed out. To confirm, type ${email} and your password.`,
    address: 'Your email address',
    mismatch: 'This is not the address of your account. Type it as it is above.',
    submit: 'Delete for good',
  },
}

export type Texts = typeof EN
