import assert from 'node:assert/strict'
import type { Answer } from './service.ts'

/** Everything a caller can see of an answer but what differs each time: status, headers, bytes. */
export function fingerprint(answer: Answer): string {
  const { date: _, 'x-request-id': requestId, ...headers } = answer.headers
  const text = requestId === undefined ? answer.text : answer.text.replaceAll(requestId, '<id>')
  const canonical = Object.entries(headers).toSorted(([a], [b]) => a.localeCompare(b))
  return JSON.stringify({ status: answer.status, headers: canonical, text })
}

/** No answer tells its case from the others. */
export function assertIndistinguishable(answers: Readonly<Record<string, Answer>>): void {
  const [first, ...others] = Object.entries(answers)
  assert.ok(first && others.length > 0)
  for (const [name, answer] of others)
    assert.equal(fingerprint(answer), fingerprint(first[1]), `${name} differs from ${first[0]}`)
}
