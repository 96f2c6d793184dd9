import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { APP_PATHS } from '../../server/api/public/app-paths.ts'
import { STATUS } from '../../server/http/problem.ts'
import {
  check,
  document,
  type Media,
  type Operation,
  operations,
  type Schema,
} from '../support/openapi.ts'
import { PASSWORD, startService } from '../support/service.ts'

const run = promisify(execFile)

const nameOf = ({ method, path }: Operation) => `${method} ${path}`

/** What is not for a client of the API, and the API once more without its prefix. */
const HIDDEN =
  /^\/(docs(\/.*)?|openapi\.json|assets\/.*|audit|auth\/.*|jobs(\/.*)?|mail(\/.*)?|settings|stats|me(\/.*)?|users(\/.*)?)$/
const PAGES: ReadonlySet<string> = new Set(APP_PATHS)
/** Where nobody, or not only who is signed in, may call. */
const PUBLIC = new Set([
  'signUp',
  'verify',
  'resendCode',
  'logIn',
  'health',
  'ready',
  'showIssuer',
  'showSigningKeys',
  'forgotPassword',
  'resetPassword',
  'undoEmailChange',
])

const NEEDS_NO_BODY = new Set([
  'logOut',
  'refresh',
  'deleteUser',
  'resendInvitation',
  'revokeInvitation',
  'runCleanUp',
])

test('is OpenAPI 3.1.0, served as JSON', async () => {
  await using service = await startService()

  const answer = await service.get('/openapi.json')

  assert.equal(answer.status, 200)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
  assert.equal(answer.body.openapi, '3.1.0')
  assert.deepEqual(answer.body, document)
})

test('is what `npm run cli -- openapi` prints', async () => {
  const args = ['--import', './server/require-node.mjs', 'server/main.ts', 'openapi']
  // A bare environment: the document depends on no setting.
  const { stdout } = await run(process.execPath, args, { env: {}, maxBuffer: 2 ** 24 })

  assert.deepEqual(JSON.parse(stdout), document)
})

test('has every route of the API once', async () => {
  await using service = await startService()
  const routes: string[] = []
  service.app.addHook('onRoute', ({ url, method }) => {
    // HEAD comes with GET.
    if (HIDDEN.test(url) || PAGES.has(url) || method === 'HEAD') return
    routes.push(`${String(method)} ${url.replace(/:(\w+)/g, '{$1}')}`)
  })
  await service.app.ready()

  assert.deepEqual(operations.map(nameOf).toSorted(), routes.toSorted())
})

test('gives each operation an id and a summary of its own', () => {
  for (const key of ['operationId', 'summary'] as const) {
    const values = operations.map((operation) => operation[key])
    assert.ok(values.every((value) => value !== undefined && value.length > 0))
    assert.equal(new Set(values).size, values.length, key)
  }
})

test('has a named schema for each thing that a client needs a type of', () => {
  const names = Object.keys(document.components.schemas)
  const refOf = (path: string, method: string, status: string) =>
    document.paths[path][method].responses[status].content['application/json'].schema

  for (const name of ['Problem', 'User', 'Tokens', 'Session', 'Message', 'AuditEvent', 'SignUp'])
    assert.ok(names.includes(name), name)
  const user = { $ref: '#/components/schemas/User' }
  assert.deepEqual(refOf('/api/v1/me', 'get', '200'), user)
  assert.deepEqual(refOf('/api/v1/users', 'get', '200').items, user)
  assert.deepEqual(refOf('/api/v1/auth/login', 'post', '200').$ref, '#/components/schemas/Tokens')
})

test('begins with the login, and the dialog to authorize with its form', () => {
  assert.equal(operations[0]?.operationId, 'logIn')
  assert.equal(Object.keys(document.components.securitySchemes)[0], 'password')
})

test('has request examples that change nothing when they are sent as they are', async () => {
  await using service = await startService({ RATE_LIMIT: 'off' })
  const [admin, ann] = [await service.addAdmin(), await service.addUser('ann@example.com')]
  const stateOf = async () => {
    const { updated_at: _, ...user } = (
      await service.get(`/users/${ann.id}`, { token: admin.access })
    ).body
    return { ...user, full_name: null }
  }
  const before = await stateOf()

  for (const { method, path, requestBody } of operations) {
    const media = requestBody?.content['application/json']
    if (media === undefined) continue
    const url = path.replace('{id}', String(ann.id))
    const token = path.includes('/me') ? ann.access : admin.access
    await service.request(method, url, { token, body: examplesIn(media) })
  }
  await service.deliverMail()

  assert.deepEqual(await stateOf(), before)
  assert.equal((await service.get('/me', { token: ann.access })).status, 200)
  await service.logIn(ann.email)
})

for (const operation of operations) {
  const { operationId, path, method } = operation
  const pointer = ['paths', path, method.toLowerCase()]

  describe(nameOf(operation), () => {
    test('has one tag, which is described', () => {
      const tags = document.tags.map(({ name }: { name: string }) => name)
      assert.equal(operation.tags?.length, 1)
      assert.ok(tags.includes(operation.tags[0]))
    })

    test('says who may call', () => {
      const { security = [] } = operation
      for (const scheme of security.flatMap((one) => Object.keys(one)))
        assert.ok(scheme in document.components.securitySchemes, scheme)
      assert.equal(security.length === 0, PUBLIC.has(operationId))
      assert.equal(security.length > 0, '401' in operation.responses && operationId !== 'logIn')
    })

    test('says whether it needs a body', () => {
      if (operation.requestBody === undefined) return
      assert.equal(operation.requestBody.required, !NEEDS_NO_BODY.has(operationId))
    })

    test('has request examples that fit, and are harmless', () => {
      for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) {
        const example = examplesIn(media)
        assert.equal(
          check([...pointer, 'requestBody', 'content', type, 'schema'], example),
          undefined,
        )
        assert.ok(!('role' in example || 'disabled' in example))
        assert.notEqual(example['full_name'], '')
        // Addresses and numbers that no one has: NANP reserves 555-0100 to 555-0199.
        assert.doesNotMatch(JSON.stringify(example), /@(?!example\.com")|"\+(?!120255501\d\d")/)
        assert.notEqual(example['current_password'], PASSWORD)
      }
    })

    test('describes each answer, success and refusal', () => {
      const statuses = Object.keys(operation.responses).map(Number)
      assert.ok(statuses.some((status) => status < 300))
      assert.ok(statuses.includes(500))
      for (const { description } of Object.values(operation.responses))
        assert.ok(description !== '' && description !== 'Default Response')
    })

    test('shows a problem of each code, with the status of that code', () => {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        const media = content['application/problem+json']
        if (media === undefined) continue
        const examples = Object.entries(media.examples ?? {})
        assert.ok(examples.length > 0, status)
        for (const [code, { value }] of examples) {
          assert.equal(STATUS[code as keyof typeof STATUS], Number(status))
          assert.equal((value as { code: string }).code, code)
          const path = [...pointer, 'responses', status, 'content', 'application/problem+json']
          assert.equal(check([...path, 'schema'], value), undefined)
        }
      }
    })

    test('shows an example of each text that is sent or answered, which fits', () => {
      for (const [where, schema] of textsOf(operation)) {
        assert.ok(schema.examples?.length, where)
        for (const example of schema.examples)
          assert.match(String(example), new RegExp(schema.pattern ?? '', 'u'))
      }
    })
  })
}

/** The body that Swagger UI prefills: the example of the whole, or one made of those of its fields. */
function examplesIn({ example, schema }: Media): Record<string, unknown> {
  if (example !== undefined) return example as Record<string, unknown>
  const fields = Object.entries(schema.properties ?? {})
  return Object.fromEntries(
    fields.map(([name, { examples, enum: values, const: only, type }]) => [
      name,
      examples?.[0] ?? values?.[0] ?? only ?? (type === 'boolean' ? true : ''),
    ]),
  )
}

/** 401 of these is about what the body holds. */
/** Free texts: what neither lists its values nor is a number. */
function textsOf({ parameters = [], requestBody, responses }: Operation): [string, Schema][] {
  const found: [string, Schema][] = parameters
    .filter(({ schema }) => schema.type === 'string' && schema.enum === undefined)
    .map(({ name, schema, example }) => [
      name,
      example === undefined ? schema : { ...schema, examples: [example] },
    ])
  const walk = (where: string, schema: Schema): void => {
    const isText = [schema.type].flat().includes('string')
    if (isText && schema.enum === undefined && schema.const === undefined)
      found.push([where, schema])
    if (schema.items !== undefined) walk(`${where}[]`, schema.items)
    for (const [name, field] of Object.entries(schema.properties ?? {}))
      walk(`${where}.${name}`, field)
  }
  for (const [type, { schema }] of Object.entries(requestBody?.content ?? {})) walk(type, schema)
  for (const [status, { content = {} }] of Object.entries(responses))
    if (content['application/json']) walk(status, content['application/json'].schema)
  return found
}
