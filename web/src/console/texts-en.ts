import type { ConsolePath } from '../../../server/api/public/app-paths.ts'
import { EVENTS_EN } from './events-en.ts'
import { MAIL_WORDS_EN } from './mail-words-en.ts'
import { USER_EN } from './user-en.ts'

/** What each page is called, in its heading and where it is linked. */
const pages: Readonly<Record<ConsolePath, string>> = {
  '/console': 'Overview',
  '/console/users': 'Users',
  '/console/users/new': 'Add a user',
  '/console/users/:id': 'User',
  '/console/audit': 'Audit log',
  '/console/mail': 'Mail',
  '/console/jobs': 'Jobs',
  '/console/settings': 'Settings',
}

export const EN = {
  pages,
  label: 'Console',
  forbiddenTitle: 'This page is for admins',
  forbidden: 'Your account is not an admin’s, or no longer. Ask an admin.',
  account: 'Your account',
  none: 'There is nothing here.',
  more: 'Next page',
  first: 'First page',
  refresh: 'Refresh',
  users: {
    search: 'Search',
    searchHint:
      'Three characters or more are found anywhere in the address or the name, fewer at its beginning. “/” leads here, Escape empties.',
    role: 'Role',
    state: 'State',
    any: 'All',
    verified: 'Verified',
    unverified: 'Unverified',
    invited: 'Invited',
    disabled: 'Disabled',
    until: (time: string) => `until ${time}`,
    roles: { user: 'User', admin: 'Admin' },
    willBe: { user: 'as a user', admin: 'as an admin' },
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
  events: EVENTS_EN,
  mailWords: MAIL_WORDS_EN,
  user: USER_EN,
}

export type Texts = typeof EN
