import { EVENTS_DE } from './events-de.ts'
import { MAIL_WORDS_DE } from './mail-words-de.ts'
import { USER_DE } from './user-de.ts'
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
  users: {
    search: 'Suche',
    searchHint:
      'Ab drei Zeichen wird überall in Adresse und Name gesucht, sonst nur am Anfang. „/“ führt hierher, Escape leert das Feld.',
    role: 'Rolle',
    state: 'Status',
    any: 'Alle',
    verified: 'Bestätigt',
    unverified: 'Unbestätigt',
    invited: 'Eingeladen',
    disabled: 'Gesperrt',
    until: (time) => `bis ${time}`,
    roles: { user: 'Benutzer', admin: 'Administrator' },
    willBe: { user: 'als Benutzer', admin: 'als Administrator' },
    sort: 'Reihenfolge',
    orders: {
      '-created_at': 'Neueste zuerst',
      created_at: 'Älteste zuerst',
      email: 'E-Mail, A bis Z',
      '-email': 'E-Mail, Z bis A',
      id: 'ID, aufsteigend',
      '-id': 'ID, absteigend',
    },
    id: 'ID',
    name: 'Name',
    email: 'E-Mail',
    created: 'Angelegt',
    count: (_count, shown) => `${shown} Benutzer`,
    about: (count) => `Etwa ${count} Benutzer`,
    moreThan: (count) => `Mehr als ${count} Benutzer`,
    nobody: 'Dazu passt niemand. Versuchen Sie es mit einem anderen Text oder weniger Filtern.',
    tooBroad:
      'Das passt auf zu viele Benutzer. Geben Sie einen längeren Text ein oder wählen Sie eine andere Reihenfolge.',
    lost: 'Diese Adresse der Liste ist ungültig, oder nicht mehr gültig.',
    all: 'Alle Benutzer zeigen',
    back: 'Zurück zur Liste',
  },
  invite: {
    intro:
      'Wir senden per E-Mail eine Einladung mit einem Link, um ein Passwort zu wählen. Das Konto ist nutzbar, sobald sie angenommen ist.',
    submit: 'Einladung senden',
    adminHint:
      'Administratoren sehen und ändern alle Benutzer. Alle erfahren per E-Mail von einem neuen.',
    taken:
      'Diese Adresse hat schon ein Konto oder eine Einladung oder ist für den früheren Inhaber reserviert.',
    find: 'Nach dieser Adresse suchen',
    doneTitle: 'Die Einladung ist unterwegs',
    done: (email, time) => `Der Link in der E-Mail an ${email} gilt bis ${time}, und nur einmal.`,
    toUser: 'Zum Benutzer',
    another: 'Jemand anderen einladen',
  },
  events: EVENTS_DE,
  mailWords: MAIL_WORDS_DE,
  user: USER_DE,
}
