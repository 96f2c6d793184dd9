import type { components } from '../../../client/index.ts'
import { numberOf, timeOf } from '../setup.ts'
import type { Term } from './terms.tsx'
import { C } from './texts.ts'

export type Job = components['schemas']['Job']

/** The key of the query of all jobs. */
export const JOBS = ['jobs']

/** What the newest run did, with its time. */
export function lastRunOf({ last_run: run }: Job): string {
  if (run === undefined) return C.jobs.neverRan
  const at = timeOf(run.at)
  const { expired = 0, users = 0 } = run.counts
  if (run.outcome === 'refused') return C.jobs.refused(at, numberOf(expired), numberOf(users))
  return run.outcome === 'skipped' ? C.jobs.skipped(at) : C.jobs.done(at, countsOf(run.counts))
}

export function failureOf({ at, code }: NonNullable<Job['last_failure']>): string {
  const failures: Readonly<Record<string, string>> = C.jobs.failures
  return C.jobs.failed(timeOf(at), failures[code] ?? code)
}

/** How its runs go, as terms. */
export function runsOf(job: Job): readonly (Term | undefined)[] {
  const { last_failure: failure, next_run_at: next } = job
  return [
    [C.terms.lastRun, lastRunOf(job)],
    failure && [C.terms.lastFailure, failureOf(failure)],
    [C.terms.nextRun, next === undefined ? C.terms.none : timeOf(next)],
  ]
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const words: Readonly<Record<string, readonly string[]>> = C.jobs.counts
  const said = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => {
      // A newer server may count what this page does not know.
      const [one = name, several = name] = words[name] ?? []
      return `${numberOf(count)} ${count === 1 ? one : several}`
    })
  return said.length === 0 ? C.jobs.nothing : said.join(', ')
}
