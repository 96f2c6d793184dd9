import type { Texts } from './texts-en.ts'

export const DE: Texts = {
  problems: {
    malformed_request:
      'Die Seite hat etwas Falsches gesendet. Laden Sie sie neu und versuchen Sie es noch einmal.',
    invalid_code:
      'Dieser Code ist falsch oder abgelaufen. Geben Sie den aus der neuesten E-Mail ein; nach fünf falschen Codes warten Sie bitte eine Stunde.',
    invalid_reset_token: 'Dieser Link ist nicht mehr gültig. Fordern Sie einen neuen an.',
    invalid_undo_token:
      'Dieser Link ist nicht mehr gültig. Wenn Sie Hilfe benötigen, wenden Sie sich bitte an uns.',
    authentication_required: 'Sie sind abgemeldet. Melden Sie sich wieder an.',
    invalid_token: 'Sie wurden abgemeldet. Melden Sie sich wieder an.',
    invalid_credentials:
      'E-Mail-Adresse oder Passwort ist falsch. Prüfen Sie beides oder wählen Sie „Passwort vergessen?“.',
    forbidden: 'Ihr Konto darf das nicht. Fragen Sie einen Administrator.',
    cross_site_request:
      'Diese Seite ist unter einer anderen Adresse geöffnet, als der Dienst kennt. Öffnen Sie sie unter ihrer üblichen Adresse.',
    email_unverified:
      'Ihre Adresse ist noch nicht bestätigt. Geben Sie den Code ein, den wir Ihnen geschickt haben.',
    wrong_password: 'Das aktuelle Passwort ist falsch. Geben Sie es noch einmal ein.',
    reauthentication_required: 'Bestätigen Sie dafür Ihr Passwort.',
    account_disabled: 'Dieses Konto ist gesperrt. Wenden Sie sich bitte an uns.',
    own_role:
      'Niemand kann die eigene Rolle ändern oder sich selbst sperren. Fragen Sie einen anderen Administrator.',
    not_found: 'Das gibt es nicht mehr. Laden Sie die Seite neu.',
    method_not_allowed: 'Diese Seite ist veraltet. Laden Sie sie neu.',
    request_timeout: 'Die Verbindung war zu langsam. Versuchen Sie es noch einmal.',
    email_taken:
      'Diese Adresse hat schon ein Konto. Melden Sie sich an oder wählen Sie „Passwort vergessen?“.',
    last_admin:
      'Der Dienst braucht einen aktiven Administrator. Ernennen Sie zuerst einen anderen.',
    email_change_undoable:
      'Die letzte Änderung der Adresse kann noch zurückgenommen werden. Versuchen Sie es 72 Stunden danach noch einmal.',
    user_inactive: 'Nur bestätigte und nicht gesperrte Benutzer können Administrator werden.',
    user_unverified:
      'Die Adresse ist noch nicht bestätigt. Senden Sie den Code oder die Einladung noch einmal.',
    user_verified: 'Die Adresse ist bereits bestätigt. Laden Sie die Seite neu.',
    user_disabled: 'Dieses Konto ist gesperrt. Entsperren Sie es zuerst.',
    job_busy:
      'Das Aufräumen läuft gerade oder beginnt gleich. Versuchen Sie es danach noch einmal.',
    mail_not_failed:
      'Nur gescheiterte Nachrichten können noch einmal gesendet werden. Laden Sie die Seite neu.',
    body_too_large: 'Das ist zu lang. Kürzen Sie es und versuchen Sie es noch einmal.',
    uri_too_long: 'Das ist zu lang. Kürzen Sie es und versuchen Sie es noch einmal.',
    unsupported_media_type: 'Diese Seite ist veraltet. Laden Sie sie neu.',
    validation_failed: 'Prüfen Sie Ihre Eingaben und versuchen Sie es noch einmal.',
    too_many_sign_ups:
      'Für diese Adresse sind zu viele Registrierungen offen. Wählen Sie „Passwort vergessen?“: Der Link bestätigt auch die Adresse.',
    too_many_requests: 'Zu viele Versuche. Versuchen Sie es in {wait} noch einmal.',
    login_locked:
      'Zu viele falsche Passwörter für diese Adresse. Wählen Sie „Passwort vergessen?“ oder melden Sie sich auf einem Gerät an, das Sie vor Kurzem benutzt haben.',
    headers_too_large:
      'Ihr Browser sendet zu viel. Löschen Sie die Cookies dieser Seite und versuchen Sie es noch einmal.',
    internal_error: 'Bei uns ist ein Fehler aufgetreten. Versuchen Sie es später noch einmal.',
    overloaded: 'Der Dienst ist gerade ausgelastet. Versuchen Sie es in {wait} noch einmal.',
    database_unavailable:
      'Der Dienst ist gerade ausgelastet. Versuchen Sie es in {wait} noch einmal.',
    unreachable:
      'Der Dienst ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
  },
  waited: 'Sie können es jetzt noch einmal versuchen.',
  wait: (seconds) => (seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} Min.`),
  refusals: {
    required: 'Füllen Sie dieses Feld aus.',
    minLength: 'Füllen Sie dieses Feld aus.',
    maxLength: 'Das ist zu lang.',
    'format/email': 'Geben Sie eine E-Mail-Adresse ein, zum Beispiel ann@example.com.',
    'pattern/code': 'Geben Sie die sechs Ziffern ein.',
    too_short: 'Das Passwort muss mindestens {min} Zeichen haben.',
    too_long: 'Das Passwort ist zu lang: höchstens 256 Zeichen.',
    blocklisted:
      'Dieses Passwort ist zu häufig, aus einem Datenleck bekannt oder besteht nur aus Ihrer Adresse, Ihrem Namen oder dem Namen dieses Dienstes. Wählen Sie ein anderes.',
    unchanged: 'Das gilt bereits. Geben Sie etwas anderes ein.',
    characters: 'Das enthält ein ungültiges Zeichen. Löschen Sie es.',
    malformed: 'Das Passwort enthält ein ungültiges Zeichen.',
  },
  email: 'E-Mail-Adresse',
  password: 'Passwort',
  newPassword: 'Neues Passwort',
  passwordHint: (min) =>
    `Mindestens ${min} Zeichen. Gut geeignet sind mehrere Wörter, die nichts miteinander zu tun haben.`,
  show: 'Passwort anzeigen',
  hide: 'Passwort verbergen',
  loading: 'Wird geladen',
  tryAgain: 'Noch einmal versuchen',
  /** For a part of the app that is missing or broken. */
  reload: {
    title: 'Diese Seite kann nicht angezeigt werden',
    text: 'Vielleicht gibt es eine neuere Fassung davon. Laden Sie die Seite neu.',
    submit: 'Neu laden',
  },
  toSignIn: 'Zur Anmeldung',
  back: (shop) => `Zurück zu ${shop}`,
  footer: { label: 'Für Entwickler', docs: 'API-Dokumentation', status: 'Status des Dienstes' },
  signIn: {
    title: 'Anmelden',
    submit: 'Anmelden',
    forgot: 'Passwort vergessen?',
    newHere: 'Neu hier?',
    signUp: 'Konto erstellen',
    enterCode: 'Code eingeben',
  },
  account: 'Ihr Konto',
  signOut: 'Abmelden',
  deleted: 'Ihr Konto und Ihre Daten sind gelöscht.',
  cancel: 'Abbrechen',
  proof: {
    title: 'Passwort bestätigen',
    text: 'Ihre Anmeldung ist schon eine Weile her. Geben Sie Ihr Passwort ein, um fortzufahren.',
    submit: 'Bestätigen',
  },
  signUp: {
    title: 'Konto erstellen',
    name: 'Name (freiwillig)',
    submit: 'Konto erstellen',
    known: 'Sie haben schon ein Konto?',
  },
  verify: {
    title: 'Sehen Sie in Ihr Postfach',
    intro: (email) => `Geben Sie den sechsstelligen Code ein, den wir an ${email} geschickt haben.`,
    introUnknown:
      'Geben Sie Ihre Adresse ein und den sechsstelligen Code, den wir dorthin geschickt haben.',
    didYouMean: (email) => `Meinten Sie ${email}?`,
    correct: 'Adresse korrigieren',
    code: 'Code',
    submit: 'Bestätigen',
    resend: 'Code noch einmal senden',
    resendIn: (seconds) => `Noch einmal senden in ${seconds} s`,
    resent: 'Wenn die Adresse auf ihren Code wartet, ist er noch einmal unterwegs.',
    doneTitle: 'Ihre Adresse ist bestätigt',
    doneText: 'Sie können sich jetzt anmelden.',
  },
  forgot: {
    title: 'Passwort vergessen?',
    intro: 'Wir schicken Ihnen einen Link, mit dem Sie ein neues Passwort festlegen.',
    submit: 'Link senden',
    doneTitle: 'Sehen Sie in Ihr Postfach',
    doneText: (email) =>
      `Wenn ${email} ein Konto hat, ist ein Link unterwegs. Er gilt 30 Minuten. Sehen Sie auch im Spam-Ordner nach.`,
  },
  reset: {
    title: 'Neues Passwort wählen',
    intro: 'Es ersetzt Ihr bisheriges Passwort. Alle Geräte werden abgemeldet.',
    submit: 'Passwort festlegen',
    doneTitle: 'Ihr neues Passwort ist festgelegt',
    doneText: 'Alle Geräte wurden abgemeldet. Melden Sie sich mit dem neuen Passwort an.',
    lostTitle: 'Dieser Link ist nicht mehr gültig',
    lostText:
      'Der Link wurde bereits verwendet, ist älter als 30 Minuten oder wurde widerrufen. Fordern Sie einen neuen Link an und öffnen Sie die neueste E-Mail.',
    emptyTitle: 'Öffnen Sie den Link aus der E-Mail',
    emptyText:
      'Diese Seite benötigt den vollständigen Link, den wir Ihnen per E-Mail geschickt haben. Wenn Sie keinen Link haben, fordern Sie einen an.',
    request: 'Link anfordern',
  },
  invitation: {
    title: 'Passwort wählen',
    intro: (shop: string) =>
      `Damit ist Ihr Konto bei ${shop} vollständig. Es hat die Adresse, an die Ihre Einladung ging.`,
    doneTitle: 'Ihr Konto ist eingerichtet',
    doneText: 'Melden Sie sich mit Ihrer E-Mail-Adresse und dem Passwort an.',
    lostTitle: 'Diese Einladung ist nicht mehr gültig',
    lostText:
      'Sie wurde bereits angenommen, ist älter als sieben Tage oder wurde ersetzt oder widerrufen. Öffnen Sie die neueste E-Mail oder bitten Sie um eine neue Einladung.',
  },
  undo: {
    title: 'Änderung Ihrer Adresse zurücknehmen?',
    intro:
      'Die E-Mail-Adresse Ihres Kontos wurde geändert. Wenn Sie das nicht waren, nehmen Sie die Änderung zurück.',
    effect:
      'Ihr Konto erhält wieder die vorherige Adresse, alle Geräte werden abgemeldet, und Ihr Passwort wird ungültig. Sie erhalten eine E-Mail mit einem Link, um ein neues festzulegen.',
    submit: 'Änderung zurücknehmen',
    doneTitle: 'Die Änderung wurde zurückgenommen',
    doneText:
      'Ihr Konto hat wieder die vorherige Adresse, und alle Geräte wurden abgemeldet. Öffnen Sie die E-Mail, die wir Ihnen jetzt schicken, und legen Sie ein neues Passwort fest.',
    lostTitle: 'Dieser Link ist nicht mehr gültig',
    lostText:
      'Der Link wurde bereits verwendet, ist älter als 72 Stunden oder wurde ungültig, weil eine frühere Änderung zurückgenommen wurde. Wenn Sie Hilfe benötigen, wenden Sie sich bitte an uns.',
  },
}
