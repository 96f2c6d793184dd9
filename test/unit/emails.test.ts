import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalEmail } from '../../server/lib/emails.ts'

const label63 = 'a'.repeat(63)
/** 189 characters: with a local part of 64 and the @ that is 254. */
const domain189 = `${label63}.${label63}.${'a'.repeat(61)}`

describe('canonicalEmail', () => {
  for (const [typed, canonical] of [
    ['ann@example.com', 'ann@example.com'],
    ['Ann.LEE@Example.COM', 'ann.lee@example.com'],
    ['a+1@x.io', 'a+1@x.io'],
    ['a.b@gmail.com', 'a.b@gmail.com'],
    ["!#$%&'*+/=?^_`{|}~-@x.io", "!#$%&'*+/=?^_`{|}~-@x.io"],
    ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
    ['a@Bücher.example', 'a@xn--bcher-kva.example'],
    ['a@BU\u0308CHER.example', 'a@xn--bcher-kva.example'],
    ['a@\uff25xample.com', 'a@example.com'],
    ['a@\u212a.io', 'a@k.io'],
    ['a@1and1.com', 'a@1and1.com'],
    [`a@${label63}.io`, `a@${label63}.io`],
    [`${'a'.repeat(64)}@x.io`, `${'a'.repeat(64)}@x.io`],
    [`${'a'.repeat(64)}@${domain189}`, `${'a'.repeat(64)}@${domain189}`],
  ] as const) {
    test(`the canonical form of ${typed.slice(0, 40)}`, () => {
      assert.equal(canonicalEmail(typed), canonical)
    })
  }

  for (const [why, typed] of [
    ['nothing', ''],
    ['no @', 'example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ann@'],
    ['a space before', ' ann@example.com'],
    ['a space after', 'ann@example.com '],
    ['a space inside', 'an n@example.com'],
    ['a tab', 'ann@example.com\t'],
    ['a line end', 'ann@example.com\n'],
    ['a header of its own', 'ann@example.com\r\nBcc: eve@example.com'],
    ['a line end in the local part', 'ann\r\n@example.com'],
    ['NUL', 'ann\0@example.com'],
    ['NUL in the domain', 'ann@exa\0mple.com'],
    ['a display name', 'Ann <ann@example.com>'],
    ['two addresses', 'ann@example.com,bob@example.com'],
    ['two addresses with a semicolon', 'ann@example.com;bob@example.com'],
    ['two @', 'ann@bob@example.com'],
    ['a quoted local part', '"ann"@example.com'],
    ['a comment', 'ann(x)@example.com'],
    ['a comment in the domain', 'ann@example.com(x)'],
    ['a literal', 'ann@[127.0.0.1]'],
    ['an IPv4 address', 'ann@127.0.0.1'],
    ['an IPv4 address in short', 'ann@127.1'],
    ['an IPv4 address in hex', 'ann@0x7f.1'],
    ['one label', 'ann@localhost'],
    ['a trailing dot', 'ann@example.com.'],
    ['an empty label', 'ann@example..com'],
    ['a dot before the domain', 'ann@.example.com'],
    ['a dot at the start', '.ann@example.com'],
    ['a dot at the end of the local part', 'ann.@example.com'],
    ['two dots in the local part', 'ann..lee@example.com'],
    ['a hyphen at a label’s start', 'ann@-example.com'],
    ['a hyphen at a label’s end', 'ann@example-.com'],
    ['an underscore in the domain', 'ann@ex_ample.com'],
    ['a percent escape in the domain', 'ann@ex%61mple.com'],
    ['a port', 'ann@example.com:25'],
    ['a path', 'ann@example.com/x'],
    ['an ideographic full stop', 'ann@example\u3002com'],
    ['a soft hyphen in the domain', 'ann@exam\u00adple.com'],
    ['a zero-width space in the domain', 'ann@exam\u200bple.com'],
    ['KELVIN SIGN in the local part', '\u212a@x.io'],
    ['LONG S in the local part', 'ſam@x.io'],
    ['dotless i', 'ı@x.io'],
    ['dotted capital I', 'İ@x.io'],
    ['a full-width letter in the local part', '\uff41@x.io'],
    ['an umlaut in the local part', 'ü@x.io'],
    ['a lone surrogate', '\ud800@x.io'],
    ['a local part of 65', `${'a'.repeat(65)}@x.io`],
    ['a label of 64', `a@${'a'.repeat(64)}.io`],
    ['255 characters', `${'a'.repeat(64)}@${domain189}a`],
    // An expression that tries every split would not end here.
    ['50 000 letters and an @', `${'a'.repeat(50_000)}@`],
    ['dots and letters without an end', `${'a.'.repeat(127)}!`],
    ['a domain of hyphens', `a@${'-'.repeat(250)}`],
    ['a domain of labels', `a@${'a-.'.repeat(84)}`],
    ['a domain that IDNA makes too long', `${'a'.repeat(64)}@${'ü.'.repeat(40)}example`],
  ] as const) {
    test(`undefined for ${why}`, () => {
      assert.equal(canonicalEmail(typed), undefined)
    })
  }

  test('canonical forms are ASCII, lower case and their own canonical form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme' })), (typed) => {
        const canonical = canonicalEmail(typed)
        if (canonical === undefined) return
        assert.match(canonical, /^[\x21-\x40\x5b-\x7e]+$/)
        assert.equal(canonicalEmail(canonical), canonical)
        assert.equal(canonicalEmail(typed.toUpperCase()), canonical)
      }),
      { seed: 20261122, numRuns: 2000 },
    )
  })
})
