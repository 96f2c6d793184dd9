import type { Texts } from './texts-en.ts'

export const DE: Texts = {
  signedInAs: 'Sie sind angemeldet als',
  admin: 'Administrator',
  console: 'Zur Verwaltung',
}
