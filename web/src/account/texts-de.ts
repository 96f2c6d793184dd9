import { DEVICE_DE } from '../device-name.ts'
import type { Texts } from './texts-en.ts'

export const DE: Texts = {
  device: DEVICE_DE,
  admin: 'Administrator',
  console: 'Zur Verwaltung',
  currentPassword: 'Aktuelles Passwort',
  enterCode: 'Code eingeben',
  codeOnItsWay: (to) =>
    `Wenn ${to} für Ihr Konto verwendet werden kann, ist ein sechsstelliger Code dorthin unterwegs.`,
  confirm: 'Bestätigen',
  profile: {
    title: 'Profil',
    submit: 'Speichern',
    done: 'Ihr Name ist gespeichert.',
  },
  email: {
    title: 'E-Mail-Adresse',
    change: 'Adresse ändern',
    intro:
      'Wir schicken einen Code an die neue Adresse. Bis Sie ihn eingeben, gilt Ihre bisherige Adresse.',
    effect:
      'Durch die Änderung werden alle Ihre anderen Geräte abgemeldet. Wir benachrichtigen Ihre bisherige Adresse; von dort lässt sich die Änderung 72 Stunden lang zurücknehmen.',
    newEmail: 'Neue E-Mail-Adresse',
    submit: 'Code senden',
    codeHelp: 'Er gilt eine Stunde. Sehen Sie auch im Spam-Ordner nach.',
    done: (email) =>
      `Ihre Adresse ist jetzt ${email}: Melden Sie sich ab jetzt damit an. Ihre anderen Geräte wurden abgemeldet. Mit der E-Mail an Ihre vorherige Adresse lässt sich die Änderung 72 Stunden lang zurücknehmen.`,
  },
  phone: {
    title: 'Telefon',
    none: 'Keine Telefonnummer.',
    add: 'Nummer hinzufügen',
    change: 'Nummer ändern',
    intro: 'Wir schicken Ihnen eine SMS mit einem Code.',
    number: 'Telefonnummer',
    numberHint: 'Mit Ländervorwahl, zum Beispiel +49 1512 3456789.',
    invalidNumber: 'Geben Sie eine Nummer mit Ländervorwahl ein, zum Beispiel +49 1512 3456789.',
    submit: 'Code senden',
    codeHelp:
      'Er gilt zehn Minuten. Wenn keine SMS ankommt, prüfen Sie die Nummer und fordern Sie nach einer Minute einen neuen Code an.',
    invalidCode:
      'Dieser Code ist falsch oder abgelaufen. Geben Sie den aus der neuesten SMS ein; nach fünf falschen Codes warten Sie bitte eine Stunde.',
    done: (phone) => `Ihre Nummer ist jetzt ${phone}.`,
    remove: 'Nummer entfernen',
    removeTitle: 'Nummer entfernen?',
    removeText: (phone) => `${phone} wird aus Ihrem Konto gelöscht.`,
    removed: 'Die Nummer ist entfernt.',
  },
  password: {
    title: 'Passwort',
    change: 'Passwort ändern',
    effect:
      'Durch die Änderung werden alle Ihre anderen Geräte abgemeldet; hier bleiben Sie angemeldet. Wir benachrichtigen Sie per E-Mail.',
    adminHint: 'Für Administratoren sind leicht zu erratende Passwörter nicht erlaubt.',
    submit: 'Passwort festlegen',
    done: 'Ihr neues Passwort ist festgelegt. Ihre anderen Geräte wurden abgemeldet.',
  },
  sessions: {
    title: 'Wo Sie angemeldet sind',
    here: 'Dieses Gerät',
    used: 'Zuletzt benutzt',
    signedIn: 'Angemeldet',
    from: 'IP-Adresse',
    unknownIp: 'unbekannt',
    end: 'Abmelden',
    endOne: (device, signedIn) => `Abmelden: ${device}, angemeldet ${signedIn}`,
    endOthers: 'Alle anderen Geräte abmelden',
    endOthersTitle: 'Alle anderen Geräte abmelden?',
    endOthersText: 'Wer sie benutzt, muss sich neu anmelden. Hier bleiben Sie angemeldet.',
    ended: 'Das Gerät ist abgemeldet.',
    endedOthers: 'Alle anderen Geräte sind abgemeldet.',
  },
  data: {
    title: 'Ihre Daten',
    text: 'Alles, was wir über Sie gespeichert haben, als JSON-Datei. Bewahren Sie sie dort auf, wo niemand sonst sie lesen kann.',
    submit: 'Meine Daten herunterladen',
    done: (file) => `${file} ist heruntergeladen.`,
  },
  remove: {
    title: 'Konto löschen',
    text: 'Löscht Ihr Konto und alle personenbezogenen Daten endgültig. Niemand kann sie wiederherstellen.',
    open: 'Mein Konto löschen',
    dialogTitle: 'Konto löschen?',
    dialogText: (email) =>
      `Ihr Konto und alle personenbezogenen Daten werden sofort gelöscht, und alle Geräte werden abgemeldet. Geben Sie zur Bestätigung ${email} und Ihr Passwort ein.`,
    address: 'Ihre E-Mail-Adresse',
    mismatch: 'Das ist nicht die Adresse Ihres Kontos. Geben Sie sie so ein, wie sie oben steht.',
    submit: 'Endgültig löschen',
  },
}
