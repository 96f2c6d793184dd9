import type { ConsolePath } from '../../../server/api/public/app-paths.ts'

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
}

export type Texts = typeof EN
