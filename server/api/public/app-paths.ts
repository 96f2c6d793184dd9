/** The pages of the web app: the server answers these paths with it, and its router shows one page for each. */
export const APP_PATHS = ['/', '/sign-up', '/verify', '/forgot', '/reset'] as const

export type AppPath = (typeof APP_PATHS)[number]
