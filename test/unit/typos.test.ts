import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { didYouMean } from '../../server/accounts/typos.ts'

describe('a domain that is one slip away', () => {
  for (const [slip, typed, meant] of [
    ['two letters swapped', 'ann@gmial.com', 'ann@gmail.com'],
    ['a letter left out', 'ann@hotmal.com', 'ann@hotmail.com'],
    ['a letter too many', 'ann@yahooo.com', 'ann@yahoo.com'],
    ['a letter doubled', 'ann@outloook.com', 'ann@outlook.com'],
    ['a wrong letter', 'ann@icloid.com', 'ann@icloud.com'],
    ['a top-level domain that does not exist', 'ann@gmail.con', 'ann@gmail.com'],
    ['half a top-level domain', 'ann@gmail.co', 'ann@gmail.com'],
    ['a missing hyphen', 'ann@tonline.de', 'ann@t-online.de'],
  ] as const) {
    test(`${slip}: ${typed}`, () => assert.equal(didYouMean(typed), meant))
  }

  for (const [typed, meant] of [
    ['ann@gmial.con', 'ann@gmail.com'],
    ['ann@gmx.ed', 'ann@gmx.de'],
    ['ann@web.ed', 'ann@web.de'],
  ] as const) {
    test(`or in the list of those that are further away: ${typed}`, () =>
      assert.equal(didYouMean(typed), meant))
  }

  test('is compared as it is stored, and what stands before the @ stays as typed', () => {
    assert.equal(didYouMean('Ann.O’Neil@GMIAL.com'), undefined)
    assert.equal(didYouMean("Ann.O'Neil+x@GMIAL.com"), "Ann.O'Neil+x@gmail.com")
    assert.equal(didYouMean('ann@ｇｍｉａｌ.com'), 'ann@gmail.com')
  })
})

describe('no guess', () => {
  for (const domain of [
    'gmail.com',
    'GMAIL.COM',
    'ymail.com',
    'email.com',
    'mail.com',
    'hotmail.de',
    'yahoo.ca',
    'outlook.de',
    'gmx.de',
    'gmx.at',
    'web.de',
    'me.com',
    'example.com',
    'we.de',
    'gmail.example.com',
    'ggmmail.com',
    'mgial.com',
    'mgil.com',
    'gmail.comxx',
  ]) {
    test(`for ${domain}`, () => assert.equal(didYouMean(`ann@${domain}`), undefined))
  }

  for (const text of [
    '',
    '@',
    'gmial.com',
    'ann@',
    `${'a'.repeat(300)}@gmial.com`,
    'a b@gmial.com',
  ]) {
    test(`for what is no address: ${JSON.stringify(text.slice(0, 20))}`, () =>
      assert.equal(didYouMean(text), undefined))
  }
})
