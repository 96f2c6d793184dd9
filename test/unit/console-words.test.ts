import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EVENT_NAMES } from '../../server/api/audit/event.ts'
import type { AuditEventName } from '../../server/audit/event-names.ts'
import { HOUR_MS, toIso } from '../../server/lib/units.ts'
import { KINDS } from '../../server/messages/kinds.ts'
import { MAIL_STATES } from '../../server/outbox/mails.ts'
import { EVENTS_DE } from '../../web/src/console/events-de.ts'
import { EVENTS_EN } from '../../web/src/console/events-en.ts'
import type { AuditEvent } from '../../web/src/console/facts.ts'
import { lockedAt } from '../../web/src/console/lock.ts'
import { MAIL_WORDS_DE } from '../../web/src/console/mail-words-de.ts'
import { MAIL_WORDS_EN } from '../../web/src/console/mail-words-en.ts'
import { startService } from '../support/service.ts'

const LANGUAGES = { en: EVENTS_EN, de: EVENTS_DE }
const MAIL_WORDS = { en: MAIL_WORDS_EN, de: MAIL_WORDS_DE }

/** As the server records them, with what the sentence must tell of it. */
const EXAMPLES: readonly (readonly [AuditEventName, AuditEvent['changes'], RegExp, RegExp])[] = [
  ['user.invited', { role: 'admin' }, /as an admin\./, /als Administrator eingeladen\./],
  ['user.changed', { fields: ['full_name'] }, /^Changed: name\.$/, /^Geändert: Name\.$/],
  [
    'user.role_changed',
    { before: 'user', after: 'admin' },
    /from user to admin/,
    /von Benutzer zu Administrator/,
  ],
  ['users.read', { pages: 1 }, /: 1 page\.$/, /: 1 Seite\.$/],
  ['users.read', { pages: 3 }, /: 3 pages\.$/, /: 3 Seiten\.$/],
  ['clean_up.requested', { force: true }, /without the check/, /ohne Prüfung/],
  ['users.cleaned_up', { found: 2, deleted: 2 }, /2 accounts/, /2 .*Konten/],
  [
    'users.clean_up_refused',
    { deleted: 0, refused: 1, expired: 1200, users: 2000 },
    /1200 of 2000/,
    /1200 von 2000/,
  ],
  ['verification.resent', { mails: 2 }, /2 emails/, /2 E-Mails/],
  [
    'login.failed',
    { reason: 'wrong_password', device: { program: 'Firefox', system: 'Windows' } },
    /password was wrong \(Firefox on Windows\)\.$/,
    /Passwort war falsch \(Firefox, Windows\)\.$/,
  ],
  [
    'login.failed',
    { reason: 'unknown_address', device: null },
    /no account\.$/,
    /hat kein Konto\.$/,
  ],
  [
    'login.failed',
    { reason: 'login_locked', device: { program: null, system: 'iPhone' } },
    /locked .*\(App on iPhone\)\.$/,
    /gesperrt \(App, iPhone\)\.$/,
  ],
  ['session.opened', { session_id: 'x' }, /logged in\.$/, /angemeldet\.$/],
  ['session.opened', { session_id: 'x', ended: ['y'] }, /1 session ended/, /eine Sitzung/],
  ['session.ended', { session_id: 'x' }, /^A session was ended\.$/, /^Eine Sitzung wurde beendet/],
  ['session.ended', { reason: 'wrong_passwords' }, /too many wrong/, /zu vielen falschen/],
  ['session.ended', { reason: 'unissued_token' }, /never issued/, /nie ausgestellt/],
  ['sessions.ended', {}, /^All sessions were ended\.$/, /^Alle Sitzungen wurden beendet\.$/],
  ['sessions.ended', { ended: 2, kept: 'x' }, /other sessions .*2/, /anderen Sitzungen .*2/],
  ['sessions.ended', { of: 'all', ended: 9 }, /of all users .*9/, /aller Benutzer .*9/],
  ['password.changed', { sessions_ended: 2 }, /2 sessions ended/, /2 Sitzungen/],
  ['password.reset', { sessions_ended: 0 }, /link\.$/, /festgelegt\.$/],
  ['mail.resent', { mail_id: 'x', kind: 'invitation' }, /Invitation/, /Einladung/],
  ['limit.reached', { limit: 'login_network' }, /login_network/, /login_network/],
  ['key.rotated', { kid: 'k1', alg: 'EdDSA' }, /EdDSA, k1/, /EdDSA, k1/],
]

describe('the words of the console', () => {
  for (const [language, { sentences }] of Object.entries(LANGUAGES)) {
    test(`${language}: each event has a sentence, whatever its facts are`, () => {
      assert.deepEqual(Object.keys(sentences).toSorted(), EVENT_NAMES.toSorted())
      for (const name of EVENT_NAMES) {
        for (const facts of [{}, { role: 1, fields: 'x', ended: null, device: 'x', pages: [] }]) {
          const sentence = sentences[name](facts)
          assert.match(sentence, /^[A-ZÄÖÜ].*\.$/, name)
          assert.doesNotMatch(sentence, /undefined|null|NaN|\[object/, name)
        }
      }
    })

    test(`${language}: no two events have the same sentence`, () => {
      const all = EVENT_NAMES.map((name) => sentences[name]({}))
      assert.equal(new Set(all).size, all.length)
    })

    test(`${language}: each kind and each state of a message has words of its own`, () => {
      const { kinds, states } = MAIL_WORDS[language === 'de' ? 'de' : 'en']
      assert.deepEqual(Object.keys(kinds).toSorted(), Object.keys(KINDS).toSorted())
      assert.deepEqual(Object.keys(states).toSorted(), [...MAIL_STATES].toSorted())
      for (const words of [kinds, states]) {
        const all = Object.values(words)
        assert.equal(new Set(all).size, all.length)
      }
    })
  }

  for (const [event, changes, english, german] of EXAMPLES) {
    test(`${event} ${JSON.stringify(changes)} is told with its facts`, () => {
      assert.match(EVENTS_EN.sentences[event](changes), english)
      assert.match(EVENTS_DE.sentences[event](changes), german)
    })
  }

  test('what the server records of a failed login has words', async () => {
    await using service = await startService()
    const { id, email } = await service.addUser()
    await service.post('/api/v1/auth/login', { email, password: 'wrong' })

    const { access: token } = await service.addAdmin('zoe@example.org')
    const { body } = await service.get(`/api/v1/users/${id}/audit`, { token })

    const [{ event, changes }] = body
    assert.equal(event, 'login.failed')
    assert.match(EVENTS_EN.sentences['login.failed'](changes), /: the password was wrong\.$/)
  })
})

describe('the login lock of a user', () => {
  const NOW_MS = Date.UTC(2026, 10, 22)
  const ago = (hours: number) => toIso(NOW_MS - hours * HOUR_MS)
  const one = (event: AuditEvent['event'], hours: number, reason?: string): AuditEvent => ({
    id: 1,
    event,
    at: ago(hours),
    changes: reason === undefined ? {} : { reason },
    actor_id: null,
    subject_id: 7,
    ip: null,
    request_id: null,
  })
  const refused = (hours: number) => one('login.failed', hours, 'login_locked')

  test('is shown for a day after the last refusal', () => {
    assert.equal(lockedAt([one('user.changed', 1), refused(23), refused(30)], NOW_MS), ago(23))
    assert.equal(lockedAt([refused(24)], NOW_MS), undefined)
  })

  test('is over once it was lifted, or by a login or a new password', () => {
    for (const event of ['login.unlocked', 'session.opened', 'password.reset'] as const)
      assert.equal(lockedAt([one(event, 1), refused(2)], NOW_MS), undefined)
  })

  test('is not what other failures are', () => {
    assert.equal(lockedAt([one('login.failed', 1, 'wrong_password')], NOW_MS), undefined)
    assert.equal(lockedAt([one('login.failed', 1, 'wrong_password'), refused(2)], NOW_MS), ago(2))
  })
})
