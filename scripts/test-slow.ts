// Runs the slow suite once: kill loops, outages, a browser, a clock that is moved, and the races of
// the quick suite many times over. Nothing in it depends on how fast the machine is. Arguments are
// passed on to the test runner: npm run test:slow -- test/slow/kill.test.ts
import { globSync } from 'node:fs'
import { readArguments, runFiles } from './test-files.ts'

/** More than there are cores: most files wait for a process or a timer most of the time. */
const AT_ONCE = 4

const { files, options } = readArguments()
const all = globSync('test/slow/**/*.test.ts').toSorted()
process.exitCode = await runFiles(files.length > 0 ? files : all, { atOnce: AT_ONCE, options })
