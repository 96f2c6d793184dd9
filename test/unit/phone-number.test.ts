import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { phoneNumberOf } from '../../web/src/account/phone-number.ts'

const NUMBER = '+4915123456789'

describe('a phone number as people write it', () => {
  for (const typed of [
    NUMBER,
    '004915123456789',
    '0049 151 234 567 89',
    ' +49 (0)151 / 2345-6789 ',
    '+49.151.23456789',
    '+49\u00a0151\u201123456789',
    // As copied from the contacts of a phone.
    '\u202a+49 151 23456789\u202c',
  ])
    test(`“${typed}” is taken`, () => {
      assert.equal(phoneNumberOf(typed), NUMBER)
    })

  for (const typed of [
    '',
    '0151 23456789',
    '49 151 23456789',
    '+49 151',
    '+0151234567',
    '+49x15123456',
  ])
    test(`“${typed}” is not`, () => {
      assert.equal(phoneNumberOf(typed), undefined)
    })
})
