import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { localeOf, preferredLocale } from '../../server/lib/locales.ts'

describe('Accept-Language', () => {
  for (const [header, wanted] of [
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en'],
    ['en;q=0.1, de;q=0.2', 'de'],
    ['DE-ch', 'de'],
    ['de-Latn-DE-1996', 'de'],
    ['fr-FR, fr;q=0.9, de;q=0.3', 'de'],
    ['de ; q=1.000', 'de'],
    ['de, en', 'de'],
    ['en, de', 'en'],
    [',,de,', 'de'],
  ] as const) {
    test(`${wanted} for ${header}`, () => assert.equal(preferredLocale(header), wanted))
  }

  for (const [why, header] of [
    ['is absent', undefined],
    ['is empty', ''],
    ['names none of ours', 'fr, *;q=0.5'],
    ['names one that only begins like ours', 'den, deu, english'],
    ['refuses ours', 'de;q=0, en;q=0.0'],
    ['has a weight that is none', 'de;q=2, de;q=-1, de;q=NaN, de;q=1e0, de;q=, de;q=0.0001'],
    ['has more than a weight', 'de;q=1;level=1'],
    ['is not made of tags', 'de_DE, d e, <b>de</b>, de-, -de, de--DE, \u0000de'],
    ['is longer than any browser’s', `de,${'fr,'.repeat(400)}`],
    ['names ours after thirty-two others', `${'fr,'.repeat(32)}de`],
  ] as const) {
    test(`none when it ${why}`, () => assert.equal(preferredLocale(header), null))
  }
})

describe('the language of a mail', () => {
  for (const [tag, locale] of [
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE_at', 'de'],
    ['en-US', 'en'],
    ['den', 'en'],
    ['fr', 'en'],
    ['', 'en'],
    [null, 'en'],
  ] as const) {
    test(`is ${locale} for ${tag}`, () => assert.equal(localeOf(tag), locale))
  }
})
