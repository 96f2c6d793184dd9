import type { USER_EN } from './user-en.ts'

export const USER_DE: typeof USER_EN = {
  unknownTitle: 'Diesen Benutzer gibt es nicht',
  unknown:
    'Kein Benutzer hat diese ID, oder das Konto wurde gelöscht. Die Ereignisse gelöschter Benutzer stehen weiterhin im Protokoll.',
  facts: {
    phone: 'Telefon',
    invitation: 'Einladung',
    ends: 'Ohne Bestätigung gelöscht am',
    lock: 'Anmeldesperre',
    changed: 'Geändert',
  },
  nothing: 'Keine Angabe',
  locked: (at) =>
    `Anmeldungen wurden nach zu vielen falschen Passwörtern abgelehnt, zuletzt vermerkt am ${at}. Die Sperre endet innerhalb eines Tages von selbst.`,
  own: 'Das ist Ihr eigenes Konto. Ihre Adresse und Ihr Passwort ändern Sie auf der Seite Ihres Kontos; dort können Sie es auch löschen:',
  ownAccount: 'Ihr Konto',
  actions: 'Aktionen',
  undo: 'Rückgängig machen',
  acts: {
    rename: {
      name: 'Namen ändern',
      will: (who) => `Ändert, wie ${who} heißt. Ein leeres Feld entfernt den Namen.`,
      did: (who) => `Der Name von ${who} wurde gespeichert.`,
    },
    disable: {
      name: 'Konto sperren',
      will: (who) =>
        `Meldet ${who} sofort überall ab; bis zum Entsperren kann sich niemand anmelden. Eine Einladung und zugesandte Links gelten nicht mehr.`,
      did: (who) => `Das Konto von ${who} ist gesperrt.`,
    },
    enable: {
      name: 'Konto entsperren',
      will: (who) =>
        `Lässt ${who} das Konto wieder benutzen. Beendete Sitzungen und Einladungen bleiben beendet.`,
      did: (who) => `Das Konto von ${who} ist entsperrt.`,
    },
    promote: {
      name: 'Zum Administrator machen',
      will: (who) =>
        `Lässt ${who} hier alles sehen und ändern: Benutzer, Nachrichten, Aufgaben und Einstellungen.`,
      did: (who) => `${who} hat jetzt die Rolle Administrator.`,
    },
    demote: {
      name: 'Administratorrolle entziehen',
      will: (who) => `Schließt die Verwaltung für ${who} sofort. Das Konto selbst bleibt.`,
      did: (who) => `${who} hat die Rolle Administrator nicht mehr.`,
    },
    endSessions: {
      name: 'Alle Sitzungen beenden',
      will: (who) =>
        `Meldet ${who} sofort auf allen Geräten ab. Zugesandte Links für ein neues Passwort gelten nicht mehr. Eine neue Anmeldung ist möglich.`,
      did: (who) => `Alle Sitzungen von ${who} wurden beendet.`,
    },
    unlock: {
      name: 'Anmeldesperre aufheben',
      will: (who) =>
        `Nach 50 falschen Passwörtern in Folge werden Anmeldungen von ${who} einen Tag lang abgelehnt. Das hebt die Sperre sofort auf; ohne Sperre ändert sich nichts.`,
      did: (who) => `Anmeldungen von ${who} sind nicht gesperrt.`,
    },
    sendCode: {
      name: 'Code noch einmal senden',
      will: (who) =>
        `Sendet den Bestätigungscode noch einmal an ${who}, höchstens einmal in der Minute und fünfmal in der Stunde.`,
      did: (who) => `Der Code ist an ${who} unterwegs.`,
    },
    sendReset: {
      name: 'Link für ein neues Passwort senden',
      will: (who) =>
        `Sendet ${who} einen Link, mit dem sich ein neues Passwort festlegen lässt. Er gilt einmal, 30 Minuten lang; bis er benutzt wird, ändert sich nichts.`,
      did: (who) => `Ein Link ist an ${who} unterwegs.`,
    },
    reinvite: {
      name: 'Einladung noch einmal senden',
      will: (who) =>
        `Sendet ${who} einen neuen Link, der einmal gilt, sieben Tage lang. Frühere Links gelten nicht mehr.`,
      did: (who) => `Die Einladung ist an ${who} unterwegs.`,
    },
    revoke: {
      name: 'Einladung widerrufen',
      will: (who) =>
        `Der Link, den ${who} erhalten hat, gilt nicht mehr, und das Konto wird gelöscht, außer jemand hat sich mit der Adresse registriert.`,
      did: (who) => `Die Einladung von ${who} wurde widerrufen.`,
    },
    remove: {
      name: 'Benutzer löschen',
      will: (who) =>
        `Löscht das Konto von ${who} und alles, was darüber gespeichert ist, sofort. Das lässt sich nicht rückgängig machen.`,
      did: (who) => `${who} wurde gelöscht.`,
    },
  },
  adminsAreTold: 'Alle Administratoren werden per E-Mail benachrichtigt.',
  typeAddress: (email) => `Geben Sie zur Bestätigung ${email} ein`,
  otherAddress: (email) => `Das ist eine andere Adresse. Geben Sie ${email} ein.`,
  save: 'Speichern',
  sessions: {
    title: 'Sitzungen',
    device: 'Gerät',
    ip: 'IP-Adresse',
    used: 'Zuletzt benutzt',
    opened: 'Angemeldet',
    unknown: 'Unbekannt',
  },
  timeline: {
    title: 'Verlauf',
    actor: 'Wer',
  },
  more: 'Mehr anzeigen',
}
