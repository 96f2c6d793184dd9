import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { changeEmail, emailCodeFor, undoTokenFor } from './support/email-changes.ts'
import { invite } from './support/invitations.ts'
import { failedMail } from './support/mailers.ts'
import { check, type Operation, operations } from './support/openapi.ts'
import { phoneCodeFor } from './support/phones.ts'
import { type FuzzedRequest, type KnownValues, requestsFor } from './support/requests.ts'
import { tokenFor } from './support/resets.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'

// Whatever is sent to an operation, what comes back is what the document promises.

/** Fixed, so that a failure is one for everybody; fast-check prints it with the smallest request. */
const SEED = 20_261_122
const RUNS = 40

/** There is nothing to get wrong in these. */
const NEVER_REFUSED = new Set(['health', 'ready'])

describe('only documented answers', () => {
  for (const operation of operations) {
    test(`to whatever is sent to ${operation.method} ${operation.path}`, async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const { tokens, known } = await populate(service, operation)
      const callers = fc.constantFrom(...tokens)
      const seen = new Set<number>()

      const property = fc.asyncProperty(
        requestsFor(operation, known),
        callers,
        async (request: FuzzedRequest, token) => {
          const answer = await service.request(operation.method, request.url, { ...request, token })
          seen.add(answer.status)
          assertDocumented(operation, answer)
        },
      )
      await fc.assert(property, { seed: SEED, numRuns: RUNS })

      assert.ok(
        [...seen].some((status) => status < 300),
        `nothing succeeded: ${[...seen].join()}`,
      )
      if (!NEVER_REFUSED.has(operation.operationId)) {
        assert.ok([...seen].some((status) => status >= 400))
      }
    })
  }
})

function assertDocumented(operation: Operation, { status, headers, body, text }: Answer): void {
  assert.ok(status < 500, `${status} ${text}`)
  const response = operation.responses[status]
  assert.ok(response, `${status} is not documented: ${text}`)
  if (response.content === undefined) {
    assert.equal(text, '')
    return
  }
  const type = headers['content-type']?.split(';', 1)[0] ?? ''
  assert.ok(type in response.content, `${status} came as ${type}`)
  const { method, path } = operation
  const pointer = ['paths', path, method.toLowerCase(), 'responses', status, 'content', type]
  assert.equal(check([...pointer, 'schema'], body), undefined, text)
}

/** Nobody, garbage, a user and an admin; and what exists here, so that some requests succeed. */
async function populate(service: Service, { operationId }: Operation) {
  const admin = await service.addAdmin('admin@example.com')
  const ann = await service.addUser('ann@example.com')
  const bob = await service.addUser('bob@example.com', PASSWORD, 'Bob')
  const signUpId = await service.signUp('eve@example.com')
  const code = await service.codeFor('eve@example.com')
  const phoneCodes = [await phoneCodeFor(service, ann), await phoneCodeFor(service, admin)]
  const failed = await failedMail(service, 'gone@example.com')
  const sessions = [await service.logIn(ann.email), await service.logIn(admin.email)].map(
    ({ refresh }) => refresh.split('.')[0],
  )
  const invited = await invite(service, admin, { email: 'carol@example.com' })
  const proofs = await proofsFor(service, operationId, [ann, admin])
  const known: KnownValues = {
    id:
      operationId === 'endSession'
        ? sessions
        : [ann.id, bob.id, bob.id + 1, failed.id, invited.body.id],
    email: ['eve@example.com', ann.email],
    username: [ann.email],
    password: [PASSWORD],
    code: operationId === 'confirmPhone' ? phoneCodes : [code],
    current_password: [PASSWORD],
    sign_up_id: [signUpId],
    refresh_token: [ann.refresh, bob.refresh],
    ...proofs,
  }
  return { tokens: [undefined, 'garbage', ann.access, admin.access, admin.access], known }
}

/** What was mailed to these users for an operation that takes it back. */
async function proofsFor(
  service: Service,
  operationId: string,
  users: readonly TestUser[],
): Promise<KnownValues> {
  const values: string[] = []
  for (const user of users) {
    const next = `next.${user.email}`
    if (operationId === 'confirmEmail') values.push(await emailCodeFor(service, user, next))
    if (operationId === 'resetPassword') values.push(await tokenFor(service, user.email))
    if (operationId === 'undoEmailChange') {
      await changeEmail(service, user, next)
      values.push(undoTokenFor(service, user.email))
    }
  }
  if (values.length === 0) return {}
  return operationId === 'confirmEmail' ? { code: values } : { token: values }
}
