// Everything that CI runs, in one list, the same on every machine. What already ran can be left out
// by its name, and is named then: npm run check -- --without 'npm test'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

export const STEPS = [
  // The suites test the web app as it was last built.
  'npm run -s build',
  'npm run -s typecheck',
  'npm run -s lint',
  'npm run -s format:check',
  'npm run -s lint:unused',
  'npm run -s docs -- --check',
  'npm run -s lint:openapi',
  'npm test',
  // Last, so that a log ends with the summary of a test run.
  'npm run -s test:slow',
] as const

if (import.meta.main) process.exitCode = check()

function check(): number {
  const { without = [] } = parseArgs({
    options: { without: { type: 'string', multiple: true } },
  }).values
  const unknown = without.filter((name) => !STEPS.some((step) => step === name))
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}; there are:\n${STEPS.join('\n')}`)
    return 2
  }
  for (const step of STEPS) {
    if (without.includes(step)) {
      console.log(`\n▷ ${step}: left out, as asked`)
      continue
    }
    console.log(`\n▶ ${step}`)
    const { status } = spawnSync(step, { shell: true, stdio: 'inherit' })
    if (status !== 0) {
      console.error(`\n✖ ${step} failed`)
      return 1
    }
  }
  return 0
}
