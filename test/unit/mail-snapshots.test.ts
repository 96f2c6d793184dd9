import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { exampleMails, exampleSms } from '../../server/messages/examples.ts'
import { SHOP } from '../support/settings.ts'

// What people read, letter for letter. After a change that is meant:
// npm test -- --test-update-snapshots test/unit/mail-snapshots.test.ts, and look at the difference.

const FOLDER = join(import.meta.dirname, 'snapshots')
const asIs = { serializers: [(text: string) => text] }
const examples = exampleMails(SHOP, 'https://shop.example').map(({ kind, locale, mail }) => ({
  name: `${kind}.${locale}`,
  mail,
}))

describe('mails', () => {
  for (const { name, mail } of examples) {
    test(`${name} reads as it did, as text and as HTML`, (t) => {
      const { to, subject, text, html } = mail
      t.assert.fileSnapshot(
        `To: ${to}\nSubject: ${subject}\n\n${text}`,
        join(FOLDER, `${name}.txt`),
        asIs,
      )
      t.assert.fileSnapshot(html, join(FOLDER, `${name}.html`), asIs)
    })
  }

  for (const { kind, locale, sms } of exampleSms(SHOP)) {
    test(`${kind}.${locale}, a text message, reads as it did`, (t) => {
      t.assert.fileSnapshot(`${sms.text}\n`, join(FOLDER, `${kind}.${locale}.txt`), asIs)
    })
  }

  test('there is a snapshot for each, and none for what is gone', () => {
    const wanted = [
      ...examples.flatMap(({ name }) => [`${name}.html`, `${name}.txt`]),
      ...exampleSms(SHOP).map(({ kind, locale }) => `${kind}.${locale}.txt`),
    ]
    assert.deepEqual(readdirSync(FOLDER).toSorted(), wanted.toSorted())
  })
})
