import assert from 'node:assert/strict'
import { STATUS } from '../../server/http/problem.ts'
import type { ErrorCode } from '../../server/errors.ts'
import type { Answer } from './service.ts'

/** The answer is the problem with this code, whole: status, media type, headers and members. */
export function assertProblem(answer: Answer, code: ErrorCode): void {
  assert.equal(answer.body?.code, code, answer.text)
  assert.equal(answer.status, STATUS[code])
  assert.equal(answer.body.status, answer.status)
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
  assert.equal(answer.body.request_id, answer.headers['x-request-id'])
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.ok(answer.body.detail.length > 0 && answer.body.title.length > 0)
  if (answer.status !== 429) return
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9][0-9]*$/)
  assert.match(answer.headers['ratelimit-policy'] ?? '', /^"\w+";q=[1-9][0-9]*;w=[1-9][0-9]*$/)
  assert.match(answer.headers['ratelimit'] ?? '', /^"\w+";r=0;t=[1-9][0-9]*$/)
}

/** 422, and the named field is among those refused for this reason. */
export function assertInvalid(answer: Answer, pointer: string, code?: string): void {
  assertProblem(answer, 'validation_failed')
  const found = answer.body.errors.find((error: { pointer: string }) => error.pointer === pointer)
  assert.ok(found, `${pointer} is not among ${JSON.stringify(answer.body.errors)}`)
  if (code !== undefined) assert.equal(found.code, code)
}
