// Measures: how long, how much memory, how alike. Run it by hand on a quiet machine, for what else
// runs there can make its verdict wrong; it prints its figures. Arguments are passed on to the test
// runner: npm run test:machine -- test/machine/start.test.ts
import { globSync } from 'node:fs'
import { readArguments, runFiles } from './test-files.ts'

const { files, options } = readArguments()
const all = globSync('test/machine/**/*.test.ts').toSorted()
process.exitCode = await runFiles(files.length > 0 ? files : all, { atOnce: 1, options })
