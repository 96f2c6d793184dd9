/** What the page says; `refused` by the API's codes of a refused password. */
export const TEXTS = {
  en: {
    chooseTitle: 'Choose a new password',
    chooseIntro: 'It replaces the one you have, and signs you out everywhere.',
    passwordLabel: 'New password',
    show: 'Show',
    hide: 'Hide',
    shown: 'The password is visible now.',
    hidden: 'The password is hidden.',
    hint: (min) => `At least ${min} characters. A few words that do not belong together are best.`,
    save: 'Set password',
    sending: 'One moment …',
    doneTitle: 'Your new password is set',
    doneText: 'You are signed out everywhere. Now log in with it in the app.',
    lostTitle: 'This link no longer works',
    lostText:
      'It was used, is older than 30 minutes, or a newer one was mailed. Ask for another in the app, and open the newest mail.',
    emptyTitle: 'Open the link from the mail',
    emptyText:
      'This page needs the link that we mailed you, whole. If you have none, choose “Forgot password” in the app.',
    undoTitle: 'Take the change of your address back?',
    undoIntro: 'The address of your account was changed. If that was not you, take it back.',
    undoEffect:
      'Then your old address counts again, every device is signed out, your password stops working, and we mail you a link to set a new one.',
    takeBack: 'Take the change back',
    undoneTitle: 'The change is taken back',
    undoneText:
      'Your old address counts again, and every device is signed out. Open the mail that we are sending you now, and set a new password.',
    undoLostTitle: 'This link no longer works',
    undoLostText: 'It was used, or is older than 72 hours. If you need help, write to the shop.',
    busy: 'We are busy. Try again in a moment.',
    later: (seconds) => `Too many tries. Try again in ${seconds} s.`,
    offline: 'The shop cannot be reached. Check your connection and try again.',
    broken: 'Something went wrong on our side. Try again later.',
    refused: {
      too_short: (min) => `The password must have at least ${min} characters.`,
      too_long: () => 'The password is too long: at most 256 characters.',
      blocklisted: (_min, detail) => detail,
      malformed: (_min, detail) => detail,
    },
  },
  de: {
    chooseTitle: 'Neues Passwort wählen',
    chooseIntro: 'Es ersetzt Ihr bisheriges und meldet Sie überall ab.',
    passwordLabel: 'Neues Passwort',
    show: 'Zeigen',
    hide: 'Verbergen',
    shown: 'Das Passwort ist jetzt sichtbar.',
    hidden: 'Das Passwort ist verborgen.',
    hint: (min) =>
      `Mindestens ${min} Zeichen. Am besten sind ein paar Wörter, die nicht zusammengehören.`,
    save: 'Passwort setzen',
    sending: 'Einen Moment …',
    doneTitle: 'Ihr neues Passwort ist gesetzt',
    doneText: 'Sie sind überall abgemeldet. Melden Sie sich nun in der App damit an.',
    lostTitle: 'Dieser Link gilt nicht mehr',
    lostText:
      'Er wurde benutzt, ist älter als 30 Minuten, oder es kam ein neuerer. Fordern Sie in der App einen neuen an und öffnen Sie die neueste Mail.',
    emptyTitle: 'Öffnen Sie den Link aus der Mail',
    emptyText:
      'Diese Seite braucht den ganzen Link, den wir Ihnen geschickt haben. Wenn Sie keinen haben, wählen Sie in der App „Passwort vergessen“.',
    undoTitle: 'Änderung Ihrer Adresse zurücknehmen?',
    undoIntro:
      'Die Adresse Ihres Kontos wurde geändert. Wenn Sie das nicht waren, nehmen Sie es zurück.',
    undoEffect:
      'Dann gilt Ihre alte Adresse wieder, alle Geräte werden abgemeldet, Ihr Passwort gilt nicht mehr, und Sie bekommen einen Link, um ein neues zu setzen.',
    takeBack: 'Änderung zurücknehmen',
    undoneTitle: 'Die Änderung ist zurückgenommen',
    undoneText:
      'Ihre alte Adresse gilt wieder, und alle Geräte sind abgemeldet. Öffnen Sie die Mail, die wir Ihnen jetzt schicken, und setzen Sie ein neues Passwort.',
    undoLostTitle: 'Dieser Link gilt nicht mehr',
    undoLostText:
      'Er wurde benutzt oder ist älter als 72 Stunden. Wenn Sie Hilfe brauchen, schreiben Sie dem Laden.',
    busy: 'Gerade ist viel los. Versuchen Sie es gleich noch einmal.',
    later: (seconds) => `Zu viele Versuche. Versuchen Sie es in ${seconds} s noch einmal.`,
    offline:
      'Der Laden ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
    broken: 'Bei uns ist etwas schiefgegangen. Versuchen Sie es später noch einmal.',
    refused: {
      too_short: (min) => `Das Passwort muss mindestens ${min} Zeichen haben.`,
      too_long: () => 'Das Passwort ist zu lang: höchstens 256 Zeichen.',
      blocklisted: () =>
        'Dieses Passwort wird zu oft benutzt, ist aus einem Datenleck bekannt oder aus Ihrer Adresse, Ihrem Namen oder unserem gemacht. Wählen Sie ein anderes.',
      malformed: () => 'Das Passwort enthält ein Zeichen, das es nicht gibt.',
    },
  },
}
