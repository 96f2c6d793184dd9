import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { LONG } from '../support/long.ts'

// The races of the quick suite, many times over: what is rare enough to be missed there shows here.
process.env['TEST_DATABASE'] = 'sqlite'
process.env['TEST_RACE_ROUNDS'] = LONG ? '400' : '40'

const folder = resolve(import.meta.dirname, '..')
for (const file of globSync('races*.test.ts', { cwd: folder }).toSorted())
  await import(`../${file}`)
