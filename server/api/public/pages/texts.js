/** The texts of the page; the keys of `refused` are the API's codes for a refused password. */
export const TEXTS = {
  en: {
    chooseTitle: 'Choose a new password',
    chooseIntro: 'It replaces your current password and logs out every device.',
    passwordLabel: 'New password',
    show: 'Show',
    hide: 'Hide',
    shown: 'The password is visible.',
    hidden: 'The password is hidden.',
    hint: (min) => `At least ${min} characters. Several unrelated words make a good password.`,
    save: 'Set password',
    sending: 'One moment …',
    doneTitle: 'Your new password is set',
    doneText: 'All devices were logged out. Log in to the app with the new password.',
    lostTitle: 'This link is no longer valid',
    lostText:
      'The link was already used, is older than 30 minutes, or was revoked. Request another link in the app and open the latest email.',
    emptyTitle: 'Open the link from the email',
    emptyText:
      'This page needs the complete link that we emailed you. If you have no link, choose “Forgot password” in the app.',
    undoTitle: 'Undo the change of your address?',
    undoIntro:
      'The email address of your account was changed. If this was not you, undo the change.',
    undoEffect:
      'This restores your previous address, logs out every device, disables your password, and emails you a link to set a new one.',
    takeBack: 'Undo the change',
    undoneTitle: 'The change was undone',
    undoneText:
      'Your previous address was restored, and all devices were logged out. Open the email that we are sending you and set a new password.',
    undoLostTitle: 'This link is no longer valid',
    undoLostText:
      'The link was already used, is older than 72 hours, or became invalid because an earlier change was undone. If you need help, contact us.',
    /** For an invitation, instead of those above. */
    invited: {
      chooseTitle: 'Choose a password',
      chooseIntro: (_min, shop) =>
        `It completes your account at ${shop}, with the address of the email that invited you.`,
      passwordLabel: 'Password',
      doneTitle: 'Your account is ready',
      doneText: 'Log in to the app with your email address and the password.',
      lostText:
        'The invitation was already accepted, is older than seven days, or was replaced or revoked. Open the latest email, or ask for another invitation.',
    },
    back: (_min, shop) => `Back to ${shop}`,
    busy: 'The service is busy. Try again in a moment.',
    later: (seconds) => `Too many attempts. Try again in ${Math.ceil(seconds / 60)} min.`,
    offline: 'The service cannot be reached. Check your connection and try again.',
    broken: 'Something went wrong on our side. Try again later.',
    refused: {
      too_short: (min) => `The password must have at least ${min} characters.`,
      too_long: () => 'The password is too long: at most 256 characters.',
      blocklisted: (_min, detail) => detail,
      malformed: () => 'The password contains an invalid character.',
    },
  },
  de: {
    chooseTitle: 'Neues Passwort wählen',
    chooseIntro: 'Es ersetzt Ihr bisheriges Passwort. Alle Geräte werden abgemeldet.',
    passwordLabel: 'Neues Passwort',
    show: 'Anzeigen',
    hide: 'Verbergen',
    shown: 'Das Passwort ist sichtbar.',
    hidden: 'Das Passwort ist verborgen.',
    hint: (min) =>
      `Mindestens ${min} Zeichen. Gut geeignet sind mehrere Wörter, die nichts miteinander zu tun haben.`,
    save: 'Passwort festlegen',
    sending: 'Einen Moment …',
    doneTitle: 'Ihr neues Passwort ist festgelegt',
    doneText:
      'Alle Geräte wurden abgemeldet. Melden Sie sich mit dem neuen Passwort in der App an.',
    lostTitle: 'Dieser Link ist nicht mehr gültig',
    lostText:
      'Der Link wurde bereits verwendet, ist älter als 30 Minuten oder wurde widerrufen. Fordern Sie in der App einen neuen Link an und öffnen Sie die neueste E-Mail.',
    emptyTitle: 'Öffnen Sie den Link aus der E-Mail',
    emptyText:
      'Diese Seite benötigt den vollständigen Link, den wir Ihnen per E-Mail geschickt haben. Wenn Sie keinen Link haben, wählen Sie in der App „Passwort vergessen“.',
    undoTitle: 'Änderung Ihrer Adresse zurücknehmen?',
    undoIntro:
      'Die E-Mail-Adresse Ihres Kontos wurde geändert. Wenn Sie das nicht waren, nehmen Sie die Änderung zurück.',
    undoEffect:
      'Ihr Konto erhält wieder die vorherige Adresse, alle Geräte werden abgemeldet, und Ihr Passwort wird ungültig. Sie erhalten eine E-Mail mit einem Link, um ein neues festzulegen.',
    takeBack: 'Änderung zurücknehmen',
    undoneTitle: 'Die Änderung wurde zurückgenommen',
    undoneText:
      'Ihr Konto hat wieder die vorherige Adresse, und alle Geräte wurden abgemeldet. Öffnen Sie die E-Mail, die wir Ihnen jetzt schicken, und legen Sie ein neues Passwort fest.',
    undoLostTitle: 'Dieser Link ist nicht mehr gültig',
    undoLostText:
      'Der Link wurde bereits verwendet, ist älter als 72 Stunden oder wurde ungültig, weil eine frühere Änderung zurückgenommen wurde. Wenn Sie Hilfe benötigen, wenden Sie sich bitte an uns.',
    /** For an invitation, instead of those above. */
    invited: {
      chooseTitle: 'Passwort wählen',
      chooseIntro: (_min, shop) =>
        `Damit ist Ihr Konto bei ${shop} vollständig. Es hat die Adresse, an die Ihre Einladung ging.`,
      passwordLabel: 'Passwort',
      doneTitle: 'Ihr Konto ist eingerichtet',
      doneText: 'Melden Sie sich mit Ihrer E-Mail-Adresse und dem Passwort in der App an.',
      lostText:
        'Die Einladung wurde bereits angenommen, ist älter als sieben Tage oder wurde ersetzt oder widerrufen. Öffnen Sie die neueste E-Mail oder bitten Sie um eine neue Einladung.',
    },
    back: (_min, shop) => `Zurück zu ${shop}`,
    busy: 'Der Dienst ist gerade ausgelastet. Versuchen Sie es gleich noch einmal.',
    later: (seconds) =>
      `Zu viele Versuche. Versuchen Sie es in ${Math.ceil(seconds / 60)} Min. noch einmal.`,
    offline:
      'Der Dienst ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
    broken: 'Bei uns ist ein Fehler aufgetreten. Versuchen Sie es später noch einmal.',
    refused: {
      too_short: (min) => `Das Passwort muss mindestens ${min} Zeichen haben.`,
      too_long: () => 'Das Passwort ist zu lang: höchstens 256 Zeichen.',
      blocklisted: () =>
        'Dieses Passwort ist zu häufig, aus einem Datenleck bekannt oder besteht nur aus Ihrer Adresse, Ihrem Namen oder dem Namen dieses Dienstes. Wählen Sie ein anderes.',
      malformed: () => 'Das Passwort enthält ein ungültiges Zeichen.',
    },
  },
}
