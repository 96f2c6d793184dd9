import type { User } from '../../../client/index.ts'
import type { ConsolePath } from '../../../server/api/public/app-paths.ts'
import { DEVICE_EN } from '../device-name.ts'
import { EVENTS_EN } from './events-en.ts'
import { MAIL_WORDS_EN } from './mail-words-en.ts'

/** What each page is called, in its heading and where it is linked. */
const pages: Readonly<Record<ConsolePath, string>> = {
  '/console': 'Overview',
  '/console/users': 'Users',
  '/console/users/new': 'Invite a user',
  '/console/users/:id': 'User',
  '/console/audit': 'Audit log',
  '/console/mail': 'Messages',
  '/console/jobs': 'Jobs',
  '/console/settings': 'Settings',
}

export const EN = {
  pages,
  label: 'Console',
  forbiddenTitle: 'This page is for admins',
  forbidden: 'Your account is not an admin’s, or no longer. Ask an admin.',
  none: 'There is nothing here.',
  more: 'Next page',
  first: 'First page',
  users: {
    search: 'Search',
    searchHint:
      'Three characters or more are found anywhere in the address or the name, fewer at its beginning. “/” leads here, Escape empties.',
    role: 'Role',
    state: 'State',
    verified: 'Verified',
    unverified: 'Unverified',
    invited: 'Invited',
    disabled: 'Disabled',
    until: (time: string) => `until ${time}`,
    roles: { user: 'User', admin: 'Admin' },
    invitedUntil: (role: User['role'], time: string) =>
      `as ${role === 'admin' ? 'an admin' : 'a user'}, until ${time}`,
    sort: 'Sort by',
    orders: {
      '-created_at': 'Newest first',
      created_at: 'Oldest first',
      email: 'Email, A to Z',
      '-email': 'Email, Z to A',
      id: 'ID, lowest first',
      '-id': 'ID, highest first',
    },
    id: 'ID',
    name: 'Name',
    email: 'Email',
    created: 'Created',
    count: (count: number, shown: string) => `${shown} ${count === 1 ? 'user' : 'users'}`,
    about: (count: string) => `About ${count} users`,
    moreThan: (count: string) => `More than ${count} users`,
    nobody: 'Nobody matches. Try another text, or fewer filters.',
    tooBroad: 'Too many users match. Enter a longer text, or choose another order.',
    lost: 'This address of the list is not valid, or no longer.',
    all: 'Show all users',
    back: 'Back to the list',
  },
  invite: {
    intro:
      'We email an invitation with a link to choose a password. The account can be used once it is accepted.',
    submit: 'Send the invitation',
    adminHint: 'Admins see and change all users. All of them are told about a new one by email.',
    taken:
      'This address already has an account or an invitation, or is reserved for its former owner.',
    find: 'Search for this address',
    doneTitle: 'The invitation is on its way',
    done: (email: string, time: string) =>
      `The link in the email to ${email} works until ${time}, and only once.`,
    toUser: 'Go to the user',
    another: 'Invite somebody else',
  },
  device: DEVICE_EN,
  events: EVENTS_EN,
  mailWords: MAIL_WORDS_EN,
  user: {
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
  },
  figures: {
    about: (count: string) => `about ${count}`,
    atLeast: (count: string) => `at least ${count}`,
  },
  terms: {
    lastRun: 'Last run',
    lastFailure: 'Last failure',
    nextRun: 'Next run',
    schedule: 'Schedule',
    state: 'State',
    none: 'none',
  },
  overview: {
    verified: 'Verified users',
    unverified: 'Unverified users',
    endingToday: 'End today',
    endingTodayHint:
      'Unverified accounts whose time ends before midnight UTC, and those that wait for the clean-up.',
    days: 'Last 14 days',
    day: 'Day (UTC)',
    series: { sign_ups: 'Sign-ups', logins: 'Logins', refused_logins: 'Refused logins' },
    plot: 'Sign-ups, logins and refused logins by day. The table has the same figures.',
    table: 'Figures as a table',
    refusedHint: 'A refused login counts once per address, reason and hour.',
    hollow: 'A hollow mark means “at least”: the day has not been counted to its end.',
    counted: (until: string) =>
      `Days are in UTC. They were counted up to ${until}; what came later was counted for this page.`,
    notCounted:
      'Days are in UTC. Earlier ones are counted by the hourly job, which has not run yet.',
    noDays: 'Nobody has signed up or logged in during these days.',
    toJobs: 'Go to the jobs',
  },
  filters: {
    label: 'Filters',
    all: 'All',
    apply: 'Apply filters',
    clear: 'Remove filters',
  },
  jobs: {
    intro:
      'What the service does by itself. Each time of a schedule runs once, whichever process takes it.',
    names: {
      'clean-up': {
        title: 'Clean-up',
        does: 'Deletes accounts whose address was not verified, or whose invitation was not accepted, in time.',
      },
      purge: {
        title: 'Purge',
        does: 'Deletes what was kept long enough: old sessions, messages, links and audit events.',
      },
      tally: {
        title: 'Tally',
        does: 'Counts the sign-ups and logins of each day for the overview.',
      },
      erase: {
        title: 'Erasure',
        does: 'Erases what a deleted account has left behind, if that was too much for the deletion itself.',
      },
    },
    states: { idle: 'idle', requested: 'requested, waits for a worker', running: 'running' },
    neverRan: 'No run yet.',
    done: (at: string, what: string) => `${at}: ${what}.`,
    nothing: 'nothing to do',
    refused: (at: string, expired: string, users: string) =>
      `${at}: refused. It would have deleted ${expired} of ${users} users, and the clock may be wrong. Check the clock of the server.`,
    skipped: (at: string) =>
      `${at}: skipped, because the run before was more than 7 days ago. Check the clock of the server; the next run deletes again.`,
    failed: (at: string, why: string) => `${at}: ${why}. It is repeated after half a minute.`,
    failures: {
      database_unavailable: 'the database did not answer',
      internal_error: 'an error, which the log explains',
    },
    /** By the name of a count: one, and several. */
    counts: {
      found: ['expired account found', 'expired accounts found'],
      deleted: ['account deleted', 'accounts deleted'],
      days: ['day counted', 'days counted'],
      erased: ['account erased', 'accounts erased'],
      sessions: ['session', 'sessions'],
      sign_ups: ['sign-up', 'sign-ups'],
      phone_changes: ['change of a phone number', 'changes of phone numbers'],
      email_changes: ['change of an address', 'changes of addresses'],
      password_resets: ['reset link', 'reset links'],
      code_failures: ['count of wrong codes', 'counts of wrong codes'],
      addresses: ['address of nobody', 'addresses of nobody'],
      messages: ['message', 'messages'],
      audit_events: ['audit event', 'audit events'],
      audit_months: ['month of audit events', 'months of audit events'],
    },
    schedules: {
      seconds: 'every second, if there is something to do',
      hours: (minute: string) => `every hour, ${minute} minutes past`,
      days: (time: string) => `every day at ${time} UTC`,
      other: 'by the cron expression',
    },
    cleanUp: {
      account: '1 account',
      accounts: (count: string) => `${count} accounts`,
      check: 'Show what it would delete',
      none: 'No account has expired: a run would delete nothing.',
      some: (accounts: string) => `A run would delete ${accounts}.`,
      list: 'List them',
      run: 'Run the clean-up…',
      refuse: (accounts: string) =>
        `A run would delete nobody: it would be ${accounts}, more than half of all users, and the clock is in doubt.`,
      because: {
        clock_ahead: 'The clock of the server is ahead of the database’s. Correct it first.',
        last_run_long_ago:
          'The last run was more than two days ago: the server was off, or its clock jumped ahead. Check the clock first.',
      },
      force: 'Delete nevertheless…',
      title: 'Run the clean-up?',
      text: (accounts: string) =>
        `It deletes ${accounts} whose time to verify the address has run out. This cannot be undone.`,
      submit: 'Run the clean-up',
      forceTitle: 'Delete most of the users?',
      forceText: (accounts: string) =>
        `It deletes ${accounts} although the clock is in doubt. If the clock is wrong, it deletes people who still have time to verify. This cannot be undone.`,
      forceCheck: 'I have compared the clock of the server with another one, and it is right.',
      forceSubmit: 'Delete nevertheless',
      requested: 'The clean-up was requested. A worker starts it within seconds.',
      running: 'The clean-up is running.',
      finished: (what: string) => `The clean-up has finished. ${what}`,
      lapsed:
        'No worker has taken the request. Check that one is running, then request the clean-up again.',
    },
  },
  mail: {
    recent: 'Messages of the last 30 days',
    created: 'Created',
    kind: 'Message',
    to: 'To',
    state: 'State',
    user: (id: number) => `User #${id}`,
    noRecipient: {
      waiting: 'not sent yet',
      email_code: 'not shown: the address may be someone else’s',
      other: 'not kept: the account is deleted, or nothing was sent',
    },
    error: (text: string) => `Last error: ${text}`,
    next: (time: string) => `Next attempt: ${time}`,
    resend: 'Send again',
    resendOf: (kind: string, to: string) => `Send again: ${kind}, ${to}`,
    resent: (kind: string) =>
      `On its way again: ${kind}. If it is obsolete by now, such as an expired code, it is dropped.`,
  },
  audit: {
    event: 'Event',
    actor: 'Actor’s ID',
    subject: 'User’s ID',
    since: 'From',
    until: 'Until',
    time: 'Time',
    what: 'What happened',
    request: 'Request',
  },
  settings: {
    findings: 'Findings',
    severities: { error: 'Error', warning: 'Warning', ok: 'All right' },
    fine: 'No errors and no warnings.',
    intro:
      'The settings of the process that answered. To change one, set it in the environment and restart the service.',
    values: 'Settings in force',
    filter: 'Filter by name or words',
    shown: (count: string, all: string) => `${count} of ${all} settings`,
    name: 'Name',
    value: 'Value',
    default: 'Default',
    meaning: 'Meaning',
    isSet: 'set',
    hidden: 'hidden',
    none: 'none',
  },
}

export type Texts = typeof EN
