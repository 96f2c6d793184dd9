import { DEVICE_DE } from '../device-name.ts'
import type { EVENTS_EN } from './events-en.ts'
import { countIn, deviceIn, type Sentences, textIn } from './facts.ts'
import { MAIL_WORDS_DE } from './mail-words-de.ts'

const REASONS: Readonly<Record<string, string>> = {
  wrong_password: 'das Passwort war falsch',
  unknown_address: 'die Adresse hat kein Konto',
  email_unverified: 'die Adresse ist nicht bestätigt',
  account_disabled: 'das Konto ist gesperrt',
  login_locked: 'nach zu vielen falschen Passwörtern sind Anmeldungen gesperrt',
  too_many_attempts: 'es waren zu viele Versuche',
}

const ENDED: Readonly<Record<string, string>> = {
  unissued_token:
    'Eine Sitzung wurde beendet: Sie hat ein Refresh-Token gesendet, das dieser Dienst nie ausgestellt hat.',
  wrong_passwords: 'Eine Sitzung wurde nach zu vielen falschen Passwörtern beendet.',
}

const FIELDS: Readonly<Record<string, string>> = { full_name: 'Name' }
const ROLES: Readonly<Record<string, string>> = { admin: 'Administrator', user: 'Benutzer' }

const roleIn = (facts: Parameters<typeof textIn>[0], name = 'role') => {
  const role = textIn(facts, name)
  return ROLES[role] ?? role
}
const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
/** What ended with a change. */
const andEnded = (count: number) => {
  if (count === 0) return '.'
  return count === 1
    ? ', und eine Sitzung wurde beendet.'
    : `, und ${count} Sitzungen wurden beendet.`
}

/** Neutral: who did it, and to whom, is beside it. */
const sentences: Sentences = {
  'sign_up.received': () => 'Jemand hat sich mit der Adresse registriert.',
  'user.created': (facts) => `Das Konto wurde als ${roleIn(facts)} angelegt.`,
  'user.invited': (facts) => `Der Benutzer wurde als ${roleIn(facts)} eingeladen.`,
  'invitation.resent': (facts) =>
    `Die Einladung als ${roleIn(facts)} wurde erneut gesendet; frühere Links gelten nicht mehr.`,
  'invitation.accepted': (facts) =>
    `Die Einladung als ${roleIn(facts)} wurde angenommen; das Konto ist aktiv.`,
  'invitation.revoked': (facts) => `Die Einladung als ${roleIn(facts)} wurde widerrufen.`,
  'user.verified': () => 'Die Adresse wurde bestätigt; das Konto ist aktiv.',
  'user.changed': ({ fields }) => {
    const names = Array.isArray(fields) ? fields.map((field) => FIELDS[field] ?? field) : []
    return names.length === 0 ? 'Der Benutzer wurde geändert.' : `Geändert: ${names.join(', ')}.`
  },
  'user.role_changed': (facts) =>
    `Die Rolle wurde geändert: von ${roleIn(facts, 'before')} zu ${roleIn(facts, 'after')}.`,
  'user.disabled': () => 'Das Konto wurde gesperrt, und seine Sitzungen wurden beendet.',
  'user.enabled': () => 'Das Konto wurde entsperrt.',
  'user.deleted': () => 'Das Konto wurde gelöscht.',
  'users.read': (facts) =>
    `Daten von Benutzern gelesen: ${counted(countIn(facts, 'pages'), 'Seite', 'Seiten')}.`,
  'clean_up.requested': ({ force }) =>
    force === true
      ? 'Ein Aufräumen wurde angefordert, ohne Prüfung der Uhr.'
      : 'Ein Aufräumen wurde angefordert.',
  'users.cleaned_up': (facts) =>
    `Das Aufräumen hat ${counted(countIn(facts, 'deleted'), 'nicht rechtzeitig bestätigtes Konto', 'nicht rechtzeitig bestätigte Konten')} gelöscht.`,
  'users.clean_up_refused': (facts) =>
    `Das Aufräumen wurde angehalten: Es hätte ${countIn(facts, 'expired')} von ${countIn(facts, 'users')} Konten gelöscht, und die Uhr geht vielleicht falsch.`,
  'verification.resent': (facts) =>
    `Der Bestätigungscode wurde erneut gesendet: ${counted(countIn(facts, 'mails'), 'E-Mail', 'E-Mails')}.`,
  'login.failed': (facts) => {
    const reason = textIn(facts, 'reason')
    const device = deviceIn(facts, DEVICE_DE)
    const from = device === '' ? '' : ` (${device})`
    return `Eine Anmeldung ist gescheitert: ${REASONS[reason] ?? reason}${from}.`
  },
  'login.unlocked': () => 'Die Sperre nach falschen Passwörtern wurde aufgehoben.',
  'session.opened': (facts) =>
    `Der Benutzer hat sich angemeldet${andEnded(countIn(facts, 'ended'))}`,
  'session.reauthenticated': () => 'Das Passwort wurde bestätigt.',
  'session.ended': (facts) => ENDED[textIn(facts, 'reason')] ?? 'Eine Sitzung wurde beendet.',
  'session.replayed': () =>
    'Eine Sitzung wurde beendet: Ein veraltetes Refresh-Token wurde verwendet, vielleicht von einem Dieb.',
  'sessions.ended': (facts) => {
    const ended = counted(countIn(facts, 'ended'), 'Sitzung', 'Sitzungen')
    if (facts['of'] === 'all') return `Die Sitzungen aller Benutzer wurden beendet: ${ended}.`
    if (facts['kept'] !== undefined) return `Alle anderen Sitzungen wurden beendet: ${ended}.`
    return facts['ended'] === undefined
      ? 'Alle Sitzungen wurden beendet.'
      : `Alle Sitzungen wurden beendet: ${ended}.`
  },
  'password.changed': (facts) =>
    `Das Passwort wurde geändert${andEnded(countIn(facts, 'sessions_ended'))}`,
  'password.reset_requested': () => 'Ein Link für ein neues Passwort wurde angefordert.',
  'password.reset': (facts) =>
    `Mit einem zugesandten Link wurde ein neues Passwort festgelegt${andEnded(countIn(facts, 'sessions_ended'))}`,
  'password.refused': () => 'Das aktuelle Passwort wurde falsch eingegeben.',
  'email.change_requested': () => 'Eine Änderung der Adresse wurde angefordert.',
  'email.changed': (facts) =>
    `Die Adresse wurde geändert${andEnded(countIn(facts, 'sessions_ended'))}`,
  'email.change_undone': (facts) =>
    `Der Besitzer der früheren Adresse hat ihre Änderung zurückgenommen${andEnded(countIn(facts, 'sessions_ended'))}`,
  'phone.changed': () => 'Eine Telefonnummer wurde bestätigt.',
  'phone.removed': () => 'Die Telefonnummer wurde entfernt.',
  'data.exported': () => 'Der Benutzer hat seine Daten exportiert.',
  'mail.resent': (facts) => {
    const kind = textIn(facts, 'kind')
    const words: Readonly<Record<string, string>> = MAIL_WORDS_DE.kinds
    return `Eine gescheiterte Nachricht wurde erneut gesendet: ${words[kind] ?? kind}.`
  },
  'mail.read': (facts) =>
    `Nachrichten an Benutzer gelesen: ${counted(countIn(facts, 'pages'), 'Seite', 'Seiten')}.`,
  'limit.reached': (facts) =>
    `Anfragen haben eine Grenze überschritten: ${textIn(facts, 'limit')}.`,
  'key.rotated': (facts) =>
    `Ein neuer Schlüssel für Access-Token wurde veröffentlicht: ${textIn(facts, 'alg')}, ${textIn(facts, 'kid')}.`,
}

export const EVENTS_DE: typeof EVENTS_EN = {
  sentences,
  self: 'der Benutzer selbst',
  nobody: 'jemand ohne Anmeldung',
  service: 'der Dienst oder ein Betreiber',
  about: 'Betrifft',
  admin: (id) => `Administrator #${id}`,
  user: (id) => `Benutzer #${id}`,
}
