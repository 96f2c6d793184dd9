import { DEVICE_DE } from '../device-name.ts'
import { EVENTS_DE } from './events-de.ts'
import { MAIL_WORDS_DE } from './mail-words-de.ts'
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
    'Ihr Konto hat die Rolle Administrator nicht oder nicht mehr. Wenden Sie sich an einen Administrator.',
  none: 'Hier ist nichts.',
  more: 'Nächste Seite',
  first: 'Erste Seite',
  users: {
    search: 'Suche',
    searchHint:
      'Ab drei Zeichen wird überall in Adresse und Name gesucht, sonst nur am Anfang. „/“ führt hierher, Escape leert das Feld.',
    role: 'Rolle',
    state: 'Status',
    verified: 'Bestätigt',
    unverified: 'Unbestätigt',
    invited: 'Eingeladen',
    disabled: 'Gesperrt',
    until: (time) => `bis ${time}`,
    roles: { user: 'Benutzer', admin: 'Administrator' },
    invitedUntil: (role, time) =>
      `als ${role === 'admin' ? 'Administrator' : 'Benutzer'}, bis ${time}`,
    sort: 'Reihenfolge',
    orders: {
      '-created_at': 'Neueste zuerst',
      created_at: 'Älteste zuerst',
      email: 'E-Mail-Adresse, A bis Z',
      '-email': 'E-Mail-Adresse, Z bis A',
      id: 'ID, aufsteigend',
      '-id': 'ID, absteigend',
    },
    id: 'ID',
    name: 'Name',
    email: 'E-Mail-Adresse',
    created: 'Angelegt',
    count: (_count, shown) => `${shown} Benutzer`,
    about: (count) => `Etwa ${count} Benutzer`,
    moreThan: (count) => `Mehr als ${count} Benutzer`,
    nobody: 'Dazu passt niemand. Versuchen Sie es mit einem anderen Text oder weniger Filtern.',
    tooBroad:
      'Das passt auf zu viele Benutzer. Geben Sie einen längeren Text ein oder wählen Sie eine andere Reihenfolge.',
    lost: 'Diese Adresse der Liste ist nicht oder nicht mehr gültig.',
    all: 'Alle Benutzer anzeigen',
    back: 'Zurück zur Liste',
  },
  invite: {
    intro:
      'Wir senden per E-Mail eine Einladung mit einem Link, um ein Passwort zu wählen. Das Konto kann benutzt werden, sobald sie angenommen ist.',
    submit: 'Einladung senden',
    adminHint:
      'Administratoren sehen und ändern alle Benutzer. Sie werden alle per E-Mail benachrichtigt, wenn einer hinzukommt.',
    taken:
      'Diese Adresse hat schon ein Konto oder eine Einladung oder ist für den früheren Inhaber reserviert.',
    find: 'Nach dieser Adresse suchen',
    doneTitle: 'Die Einladung ist unterwegs',
    done: (email, time) =>
      `Der Link in der E-Mail an ${email} funktioniert nur einmal und gilt bis ${time}.`,
    toUser: 'Zum Benutzer',
    another: 'Jemand anderen einladen',
  },
  device: DEVICE_DE,
  events: EVENTS_DE,
  mailWords: MAIL_WORDS_DE,
  user: {
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
        will: (who) =>
          `Verwehrt ${who} sofort den Zugang zur Verwaltung. Das Konto selbst bleibt bestehen.`,
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
          `Nach 50 falschen Passwörtern in Folge werden Anmeldungen von ${who} einen Tag lang abgelehnt. Diese Aktion hebt die Sperre sofort auf; ohne Sperre ändert sich nichts.`,
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
          `Sendet ${who} einen Link, mit dem sich ein neues Passwort festlegen lässt. Er funktioniert nur einmal und gilt 30 Minuten; bis er benutzt wird, ändert sich nichts.`,
        did: (who) => `Ein Link ist an ${who} unterwegs.`,
      },
      reinvite: {
        name: 'Einladung noch einmal senden',
        will: (who) =>
          `Sendet ${who} einen neuen Link, der nur einmal funktioniert und sieben Tage gilt. Frühere Links gelten nicht mehr.`,
        did: (who) => `Die Einladung ist an ${who} unterwegs.`,
      },
      revoke: {
        name: 'Einladung widerrufen',
        will: (who) =>
          `Der Link, den ${who} erhalten hat, gilt nicht mehr, und das Konto wird gelöscht, es sei denn, jemand hat sich mit der Adresse registriert.`,
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
  },
  figures: {
    about: (count) => `etwa ${count}`,
    atLeast: (count) => `mindestens ${count}`,
  },
  terms: {
    lastRun: 'Letzter Lauf',
    lastFailure: 'Letzter Fehler',
    nextRun: 'Nächster Lauf',
    schedule: 'Zeitplan',
    state: 'Status',
    none: 'keiner',
  },
  overview: {
    verified: 'Bestätigte Benutzer',
    unverified: 'Unbestätigte Benutzer',
    endingToday: 'Laufen heute ab',
    endingTodayHint:
      'Unbestätigte Konten, deren Frist vor Mitternacht UTC endet, und jene, die auf das Aufräumen warten.',
    days: 'Die letzten 14 Tage',
    day: 'Tag (UTC)',
    series: {
      sign_ups: 'Registriert',
      logins: 'Angemeldet',
      refused_logins: 'Abgelehnt',
    },
    plot: 'Registrierungen, Anmeldungen und abgelehnte Anmeldungen je Tag. Die Tabelle enthält dieselben Zahlen.',
    table: 'Zahlen als Tabelle',
    refusedHint: 'Eine abgelehnte Anmeldung zählt einmal je Adresse, Grund und Stunde.',
    hollow: 'Eine hohle Markierung bedeutet „mindestens“: Der Tag ist nicht zu Ende gezählt.',
    counted: (until) =>
      `Die Tage gelten in UTC. Gezählt sind sie bis ${until}; was danach kam, wurde für diese Seite gezählt.`,
    notCounted:
      'Die Tage gelten in UTC. Frühere zählt die stündliche Aufgabe, die noch nicht gelaufen ist.',
    noDays: 'In diesen Tagen hat sich niemand registriert oder angemeldet.',
    toJobs: 'Zu den Aufgaben',
  },
  filters: {
    label: 'Filter',
    all: 'Alle',
    apply: 'Filter anwenden',
    clear: 'Filter entfernen',
  },
  jobs: {
    intro:
      'Was der Dienst von selbst tut. Zu jedem Zeitpunkt ihres Zeitplans läuft eine Aufgabe einmal, gleich in welchem Prozess.',
    names: {
      'clean-up': {
        title: 'Aufräumen',
        does: 'Löscht Konten, deren Adresse nicht rechtzeitig bestätigt oder deren Einladung nicht rechtzeitig angenommen wurde.',
      },
      purge: {
        title: 'Löschen alter Daten',
        does: 'Löscht, was lange genug aufbewahrt wurde: alte Sitzungen, Nachrichten, Links und Protokolleinträge.',
      },
      tally: {
        title: 'Zählung',
        does: 'Zählt die Registrierungen und Anmeldungen jedes Tages für die Übersicht.',
      },
      erase: {
        title: 'Restlöschung',
        does: 'Löscht, was ein gelöschtes Konto hinterlassen hat, wenn es für die Löschung selbst zu viel war.',
      },
    },
    states: { idle: 'ruht', requested: 'angefordert, wartet auf einen Worker', running: 'läuft' },
    neverRan: 'Noch kein Lauf.',
    done: (at, what) => `${at}: ${what}.`,
    nothing: 'nichts zu tun',
    refused: (at, expired, users) =>
      `${at}: verweigert. Der Lauf hätte ${expired} von ${users} Benutzern gelöscht, und die Uhr geht vielleicht falsch. Prüfen Sie die Uhr des Servers.`,
    skipped: (at) =>
      `${at}: ausgelassen, weil der vorige Lauf mehr als 7 Tage zurücklag. Prüfen Sie die Uhr des Servers; der nächste Lauf löscht wieder.`,
    failed: (at, why) => `${at}: ${why}. Der Lauf wird nach einer halben Minute wiederholt.`,
    failures: {
      database_unavailable: 'die Datenbank hat nicht geantwortet',
      internal_error: 'ein Fehler, den das Log erklärt',
    },
    counts: {
      found: ['abgelaufenes Konto gefunden', 'abgelaufene Konten gefunden'],
      deleted: ['Konto gelöscht', 'Konten gelöscht'],
      days: ['Tag gezählt', 'Tage gezählt'],
      erased: ['Konto restlos gelöscht', 'Konten restlos gelöscht'],
      sessions: ['Sitzung', 'Sitzungen'],
      sign_ups: ['Registrierung', 'Registrierungen'],
      phone_changes: ['Änderung einer Telefonnummer', 'Änderungen von Telefonnummern'],
      email_changes: ['Änderung einer Adresse', 'Änderungen von Adressen'],
      password_resets: ['Link zum Zurücksetzen', 'Links zum Zurücksetzen'],
      code_failures: ['Zähler falscher Codes', 'Zähler falscher Codes'],
      addresses: ['Adresse ohne Konto', 'Adressen ohne Konto'],
      messages: ['Nachricht', 'Nachrichten'],
      audit_events: ['Protokolleintrag', 'Protokolleinträge'],
      audit_months: ['Monat des Protokolls', 'Monate des Protokolls'],
    },
    schedules: {
      seconds: 'jede Sekunde, wenn etwas zu tun ist',
      hours: (minute) => `stündlich, ${minute} Minuten nach der vollen Stunde`,
      days: (time) => `täglich um ${time} UTC`,
      other: 'nach dem Cron-Ausdruck',
    },
    cleanUp: {
      account: '1 Konto',
      accounts: (count) => `${count} Konten`,
      check: 'Zeigen, was gelöscht würde',
      none: 'Kein Konto ist abgelaufen: Ein Lauf würde nichts löschen.',
      some: (accounts) => `Ein Lauf würde ${accounts} löschen.`,
      list: 'Konten anzeigen',
      run: 'Aufräumen starten …',
      refuse: (accounts) =>
        `Ein Lauf würde niemanden löschen: Es wären ${accounts}, mehr als die Hälfte aller Benutzer, und die Uhr geht vielleicht falsch.`,
      because: {
        clock_ahead:
          'Die Uhr des Servers geht gegenüber der Uhr der Datenbank vor. Stellen Sie sie zuerst richtig.',
        last_run_long_ago:
          'Der letzte Lauf liegt mehr als zwei Tage zurück: Der Server war aus, oder seine Uhr ist vorgesprungen. Prüfen Sie zuerst die Uhr.',
      },
      force: 'Trotzdem löschen …',
      title: 'Aufräumen starten?',
      text: (accounts) =>
        `Es löscht ${accounts}, weil die Frist zur Bestätigung abgelaufen ist. Das lässt sich nicht rückgängig machen.`,
      submit: 'Aufräumen starten',
      forceTitle: 'Die meisten Benutzer löschen?',
      forceText: (accounts) =>
        `Gelöscht werden ${accounts}, obwohl die Uhr vielleicht falsch geht. Wenn sie falsch geht, trifft es Personen, deren Frist noch läuft. Das lässt sich nicht rückgängig machen.`,
      forceCheck:
        'Ich habe die Uhr des Servers mit einer anderen verglichen, und sie geht richtig.',
      forceSubmit: 'Trotzdem löschen',
      requested: 'Das Aufräumen ist angefordert. Ein Worker beginnt es in wenigen Sekunden.',
      running: 'Das Aufräumen läuft.',
      finished: (what) => `Das Aufräumen ist fertig. ${what}`,
      lapsed:
        'Kein Worker hat die Anforderung übernommen. Prüfen Sie, ob einer läuft, und fordern Sie das Aufräumen noch einmal an.',
    },
  },
  mail: {
    recent: 'Nachrichten der letzten 30 Tage',
    created: 'Erstellt',
    kind: 'Nachricht',
    to: 'An',
    state: 'Status',
    user: (id) => `Benutzer #${id}`,
    noRecipient: {
      waiting: 'noch nicht gesendet',
      email_code: 'nicht angezeigt: Die Adresse gehört vielleicht jemand anderem',
      other: 'nicht aufbewahrt: Das Konto ist gelöscht, oder es wurde nichts gesendet',
    },
    error: (text) => `Letzter Fehler: ${text}`,
    next: (time) => `Nächster Versuch: ${time}`,
    resend: 'Noch einmal senden',
    resendOf: (kind, to) => `Noch einmal senden: ${kind}, ${to}`,
    resent: (kind) =>
      `Wieder unterwegs: ${kind}. Wenn die Nachricht inzwischen überholt ist, etwa weil ihr Code abgelaufen ist, wird sie verworfen.`,
  },
  audit: {
    event: 'Ereignis',
    actor: 'ID der handelnden Person',
    subject: 'ID des Benutzers',
    since: 'Von',
    until: 'Bis',
    time: 'Zeit',
    what: 'Was geschah',
    request: 'Anfrage',
  },
  settings: {
    findings: 'Befunde',
    severities: { error: 'Fehler', warning: 'Warnung', ok: 'In Ordnung' },
    fine: 'Keine Fehler und keine Warnungen.',
    intro:
      'Die Einstellungen des Prozesses, der geantwortet hat. Um eine zu ändern, setzen Sie sie in der Umgebung und starten Sie den Dienst neu.',
    values: 'Geltende Einstellungen',
    filter: 'Nach Name oder Wörtern filtern',
    shown: (count, all) => `${count} von ${all} Einstellungen`,
    name: 'Name',
    value: 'Wert',
    default: 'Vorgabe',
    meaning: 'Bedeutung',
    isSet: 'gesetzt',
    hidden: 'verborgen',
    none: 'keiner',
  },
}
