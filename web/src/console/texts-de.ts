import type { Texts } from './texts-en.ts'

export const DE: Texts = {
  pages: {
    '/console': 'Übersicht',
    '/console/users': 'Benutzer',
    '/console/users/new': 'Benutzer einladen',
    '/console/users/:id': 'Benutzer',
    '/console/audit': 'Protokoll',
    '/console/mail': 'Nachrichten',
    '/console/jobs': 'Aufgaben',
    '/console/settings': 'Einstellungen',
  },
  label: 'Verwaltung',
  forbiddenTitle: 'Diese Seite ist für Administratoren',
  forbidden:
    'Ihr Konto ist keines eines Administrators, oder nicht mehr. Wenden Sie sich an einen Administrator.',
  account: 'Ihr Konto',
  none: 'Hier ist nichts.',
  more: 'Nächste Seite',
  first: 'Erste Seite',
  refresh: 'Aktualisieren',
}
