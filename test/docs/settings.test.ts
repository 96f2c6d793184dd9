import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseEnv } from 'node:util'
import { generatedFiles, plainDefault } from '../../scripts/docs.ts'
import { readConfig } from '../../server/settings/config.ts'
import { type Setting, SETTINGS } from '../../server/settings/settings.ts'

const settings = Object.entries<Setting<unknown>>(SETTINGS)
const example = readFileSync('.env.example', 'utf8')
/** What the file would set if every line were taken in use. */
const uncommented = parseEnv(example.replace(/^# (?=[A-Z0-9_]+=)/gm, ''))

describe('.env.example', () => {
  test('sets nothing as it is, so that a copy of it changes nothing', () => {
    assert.deepEqual({ ...parseEnv(example) }, {})
  })

  test('names every setting, once, and no other', () => {
    const names = [...example.matchAll(/^# ([A-Z0-9_]+)=/gm)].map(([, name = '']) => name)
    assert.deepEqual(names.toSorted(), settings.map(([name]) => name).toSorted())
  })

  for (const [name, setting] of settings) {
    const expected = plainDefault(setting) ?? setting.defaultText ?? ''
    test(`shows the default of ${name}`, () => {
      const shown = uncommented[name] ?? ''
      // Without a plain default the line is empty, or an example that reads as the default.
      if (plainDefault(setting) !== undefined) assert.equal(shown, expected)
      else if (shown !== '' && setting.default !== undefined)
        assert.deepEqual(setting.parse(shown), setting.default)
    })
  }

  test('gives the same configuration with every line in use as with none', () => {
    const database = { DATABASE_URL: 'sqlite:///:memory:' }
    const all = readConfig({ ...uncommented, ...database })
    const { settings: _, ...none } = readConfig(database).config
    assert.deepEqual({ ...all.config, settings: undefined }, { ...none, settings: undefined })
  })
})

describe('docs/configuration.md', () => {
  const path = 'docs/configuration.md'
  const text = readFileSync(path, 'utf8')

  test('holds the table of settings as the code has it', async () => {
    assert.equal(text, (await generatedFiles()).get(path), 'run npm run docs')
  })

  for (const [name, { parse }] of settings) {
    const [, min, max] = /^([0-9]+) to ([0-9]+)$/.exec(parse.allowed ?? '') ?? []
    if (min === undefined || max === undefined) continue
    test(`says the range of ${name}: what is in it is read, what is beside it is not`, () => {
      assert.ok(text.includes(`| ${min} to ${max} |`))
      assert.deepEqual([parse(min), parse(max)], [Number(min), Number(max)])
      for (const beside of [Number(min) - 1, Number(max) + 1])
        assert.throws(() => parse(String(beside)))
    })
  }

  for (const [name, { secret, description }] of settings) {
    test(`tells of ${name}${secret ? ` and ${name}_FILE` : ''}`, () => {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? ''
      assert.ok(row.includes(description), 'run npm run docs')
      assert.equal(row.includes(`\`${name}_FILE\``), secret === true)
    })
  }
})
