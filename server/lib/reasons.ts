/** The message of an error; a connect that failed at every address of a host has one for each. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0])
  return error instanceof Error ? error.message || error.name : 'unknown'
}

/** The same of `fetch`, which itself says only "fetch failed". */
export function fetchFailure(error: unknown): string {
  return reasonOf(error instanceof Error && error.cause instanceof Error ? error.cause : error)
}
