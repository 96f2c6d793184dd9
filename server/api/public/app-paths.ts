/** The pages of the web app: the server answers these paths with it, and its router shows one page for each. */
export const ACCOUNT_PATHS = ['/', '/sign-up', '/verify', '/forgot', '/reset'] as const

/** In the order of the router: the first that matches. */
export const CONSOLE_PATHS = [
  '/console',
  '/console/users',
  '/console/users/new',
  '/console/users/:id',
  '/console/audit',
  '/console/mail',
  '/console/jobs',
  '/console/settings',
] as const

export const APP_PATHS = [...ACCOUNT_PATHS, ...CONSOLE_PATHS] as const

export type AccountPath = (typeof ACCOUNT_PATHS)[number]
export type ConsolePath = (typeof CONSOLE_PATHS)[number]
