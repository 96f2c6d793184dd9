import type { MailKinds, MailStates } from './facts.ts'

const kinds: MailKinds = {
  verification: 'Bestätigungscode',
  verification_again: 'Bestätigungscode, erneut',
  repeat_verification: 'Anforderung, die Codes erneut zu senden',
  already_registered: 'Registrierung mit einer Adresse, die ein Konto hat',
  reminder: 'Erinnerung, die Adresse zu bestätigen',
  invitation: 'Einladung',
  new_device: 'Anmeldung auf einem neuen Gerät',
  session_replayed: 'Sitzung beendet: ihr Schlüssel wurde vielleicht kopiert',
  password_reset: 'Anforderung eines Links für ein Passwort',
  reset_link: 'Link, um ein Passwort festzulegen',
  password_changed: 'Passwort geändert',
  password_changed_left: 'Passwort geändert, an die frühere Adresse',
  email_code: 'Code für eine neue Adresse',
  email_changed: 'Adresse geändert, an die frühere',
  email_confirmed: 'Adresse geändert, an die neue',
  email_undone: 'Änderung der Adresse zurückgenommen',
  admin_changed: 'Änderung eines Administrators, an die Administratoren',
  user_deleted: 'Benutzer gelöscht, an die Administratoren',
  phone_code: 'Code für eine Telefonnummer',
  account_deleted: 'Konto gelöscht',
}

const states: MailStates = {
  waiting: 'Wartet',
  sent: 'Gesendet',
  dropped: 'Verworfen: nicht mehr nötig',
  bounced: 'Vom Server des Empfängers abgelehnt',
  dead: 'Nach mehreren Versuchen gescheitert',
}

export const MAIL_WORDS_DE = { kinds, states }
