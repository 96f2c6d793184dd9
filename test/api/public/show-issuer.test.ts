import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { createKeyFile } from '../../support/signing-keys.ts'
import { claimsOf } from '../../support/tokens.ts'

const METADATA = '/.well-known/oauth-authorization-server'

test('200 what is true and nothing else, to be kept for ten minutes', async () => {
  using file = createKeyFile('EdDSA')
  const settings = { ...file.settings, PUBLIC_URL: 'https://shop.example/' }
  await using service = await startService(settings)

  const answer = await service.get(METADATA)

  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, {
    issuer: 'https://shop.example',
    jwks_uri: 'https://shop.example/.well-known/jwks.json',
    token_endpoint: 'https://shop.example/api/v1/auth/login',
    grant_types_supported: ['password'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['none'],
  })
  assert.equal(answer.headers['cache-control'], 'public, max-age=600')
})

test('200 without jwks_uri with HS256: there is no key to be had', async () => {
  await using service = await startService()

  const { body } = await service.get(METADATA)

  assert.equal(body.issuer, 'http://localhost:8000')
  assert.ok(!('jwks_uri' in body))
})

for (const url of ['https://SHOP.example:8443', 'https://shop.example/accounts//', '']) {
  test(`200 as issuer exactly the iss of tokens for PUBLIC_URL=${url}`, async () => {
    await using service = await startService({ PUBLIC_URL: url })
    const { access } = await service.addUser()

    const { body } = await service.get(METADATA)

    assert.equal(body.issuer, claimsOf(access)['iss'])
    assert.doesNotMatch(body.issuer, /\/$/)
  })
}

test('200 for the password form at the token endpoint that is named', async () => {
  await using service = await startService({ PUBLIC_URL: 'https://shop.example' })
  const ann = await service.addUser()
  const { body } = await service.get(METADATA)
  const form = { grant_type: 'password', username: ann.email, password: ann.password }

  const answer = await service.post(new URL(body.token_endpoint).pathname, undefined, { form })

  assert.equal(answer.status, 200)
  assert.equal(answer.body.token_type, 'bearer')
})

test('200 with the issuer’s path after it, too, as RFC 8414 section 3.1 wants it', async () => {
  await using service = await startService({ PUBLIC_URL: 'https://shop.example/my/accounts' })

  const answer = await service.get(`${METADATA}/my/accounts`)

  assert.equal(answer.status, 200)
  assert.equal(answer.body.issuer, 'https://shop.example/my/accounts')
  assert.deepEqual(answer.body, (await service.get(METADATA)).body)
  assertProblem(await service.get(`${METADATA}/my`), 'not_found')
})

for (const path of ['/:id', '/*', '/a(b)', '/%61', '/a b']) {
  test(`a start survives a PUBLIC_URL whose path means something to the router: ${path}`, async () => {
    await using service = await startService({ PUBLIC_URL: `https://shop.example${path}` })

    assert.equal((await service.get(METADATA)).status, 200)
    assertProblem(await service.get(`${METADATA}/other`), 'not_found')
  })
}

test('404 as an OpenID provider, which this is not, and below the API', async () => {
  await using service = await startService()

  assertProblem(await service.get('/.well-known/openid-configuration'), 'not_found')
  assertProblem(await service.get(`/api/v1${METADATA}`), 'not_found')
})
