// Measures: how long, how much memory, how alike; and runs the long forms of slow tests. Run it by
// hand on a quiet machine, for what else runs there can make its verdict wrong; it prints its figures.
// Arguments are passed on to the test runner: npm run test:machine -- test/machine/start.test.ts
import { globSync, readFileSync } from 'node:fs'
import { readArguments, runFiles } from './test-files.ts'

const { files, options } = readArguments()
const hasLongForm = (file: string) => readFileSync(file, 'utf8').includes('/long.ts')
const all = [
  ...globSync('test/machine/**/*.test.ts').toSorted(),
  ...globSync('test/slow/**/*.test.ts').toSorted().filter(hasLongForm),
]
process.env['TEST_LONG'] = 'true'
process.exitCode = await runFiles(files.length > 0 ? files : all, { atOnce: 1, options })
