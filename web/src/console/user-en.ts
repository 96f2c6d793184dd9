export const USER_EN = {
  unknownTitle: 'There is no such user',
  unknown:
    'No user has this ID, or the account was deleted. The audit log still has the events of deleted users.',
  facts: {
    phone: 'Phone',
    invitation: 'Invitation',
    ends: 'Deleted unless verified by',
    lock: 'Login lock',
    changed: 'Changed',
  },
  nothing: 'None',
  locked: (at: string) =>
    `Logins were refused after too many wrong passwords, last recorded ${at}. The lock ends by itself within a day.`,
  own: 'This is your own account. You change your address and your password, and delete your account, on',
  ownAccount: 'your account page',
  actions: 'Actions',
  undo: 'Undo',
  /** Each with its name, what it will do, and what was done. */
  acts: {
    rename: {
      name: 'Edit the name',
      will: (who: string) => `Changes what ${who} is called. An empty field removes the name.`,
      did: (who: string) => `The name of ${who} was saved.`,
    },
    disable: {
      name: 'Disable the account',
      will: (who: string) =>
        `Signs ${who} out everywhere at once, and lets nobody sign in until the account is enabled again. An invitation and emailed links stop working.`,
      did: (who: string) => `The account of ${who} is disabled.`,
    },
    enable: {
      name: 'Enable the account',
      will: (who: string) =>
        `Lets ${who} use the account again. Ended sessions and invitations stay ended.`,
      did: (who: string) => `The account of ${who} is enabled.`,
    },
    promote: {
      name: 'Make an admin',
      will: (who: string) =>
        `Lets ${who} see and change everything here: users, messages, jobs and settings.`,
      did: (who: string) => `${who} is an admin now.`,
    },
    demote: {
      name: 'Take the admin role away',
      will: (who: string) => `Closes the console for ${who} at once. The account itself stays.`,
      did: (who: string) => `${who} is no longer an admin.`,
    },
    endSessions: {
      name: 'End all sessions',
      will: (who: string) =>
        `Signs ${who} out on every device at once. Emailed links to set a new password stop working. Signing in again is possible.`,
      did: (who: string) => `All sessions of ${who} were ended.`,
    },
    unlock: {
      name: 'Lift the login lock',
      will: (who: string) =>
        `After 50 wrong passwords in a row, logins of ${who} are refused for a day. This lifts the lock at once; without one, nothing changes.`,
      did: (who: string) => `Logins of ${who} are not locked.`,
    },
    sendCode: {
      name: 'Send the code again',
      will: (who: string) =>
        `Emails the verification code to ${who} again, at most once a minute and five times an hour.`,
      did: (who: string) => `The code is on its way to ${who}.`,
    },
    sendReset: {
      name: 'Send a reset link',
      will: (who: string) =>
        `Emails ${who} a link to set a new password. It works once, for 30 minutes; until it is used, nothing changes.`,
      did: (who: string) => `A link is on its way to ${who}.`,
    },
    reinvite: {
      name: 'Send the invitation again',
      will: (who: string) =>
        `Emails ${who} a new link, which works once, for seven days. Earlier links stop working.`,
      did: (who: string) => `The invitation is on its way to ${who}.`,
    },
    revoke: {
      name: 'Revoke the invitation',
      will: (who: string) =>
        `The link that ${who} was sent stops working, and the account is deleted, unless somebody has signed up with the address.`,
      did: (who: string) => `The invitation of ${who} was revoked.`,
    },
    remove: {
      name: 'Delete the user',
      will: (who: string) =>
        `Deletes the account of ${who} and all that is stored about it, at once. This cannot be undone.`,
      did: (who: string) => `${who} was deleted.`,
    },
  },
  adminsAreTold: 'All admins are told by email.',
  typeAddress: (email: string) => `Type ${email} to confirm`,
  otherAddress: (email: string) => `This is another address. Type ${email}.`,
  save: 'Save',
  sessions: {
    title: 'Sessions',
    device: 'Device',
    ip: 'IP address',
    used: 'Last used',
    opened: 'Signed in',
    unknown: 'Unknown',
  },
  timeline: {
    title: 'Timeline',
    actor: 'Who',
  },
  more: 'Show more',
}
