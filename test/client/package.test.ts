import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { ERRORS } from '../../server/errors.ts'

const run = promisify(execFile)

const MAX_BYTES = 8 * 1024
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

describe('the package of the client', () => {
  /** As an app has it: what npm would publish is in node_modules, and all else that it imports above. */
  let app = ''
  let installed = ''
  const source = (file: string) => readFileSync(join(installed, file), 'utf8')
  const scripts = () => globSync('dist/*.js', { cwd: installed })

  before(async () => {
    mkdirSync('node_modules/.cache', { recursive: true })
    app = mkdtempSync('node_modules/.cache/app-')
    installed = join(app, 'node_modules/coffee-shop-client')
    mkdirSync(installed, { recursive: true })
    await run('npm', ['pack', '--workspace=client', `--pack-destination=${app}`])
    const archive = join(app, `coffee-shop-client-${version}.tgz`)
    await run('tar', ['-xzf', archive, '--strip-components=1', '-C', installed])
  })
  after(() => rmSync(app, { recursive: true }))

  test('has the version of the service, one dependency, and nothing that is run', () => {
    const manifest = JSON.parse(source('package.json'))
    assert.equal(manifest.version, version)
    assert.deepEqual(Object.keys(manifest.dependencies), ['openapi-fetch'])
    assert.equal(manifest.scripts.install ?? manifest.scripts.postinstall, undefined)
  })

  test('has the licence, the README, types, and maps to sources that are there', () => {
    assert.equal(source('LICENSE'), readFileSync('LICENSE', 'utf8'))
    assert.ok(existsSync(join(installed, 'README.md')))
    assert.ok(scripts().length > 3)
    for (const file of scripts()) {
      assert.ok(existsSync(join(installed, file.replace(/js$/, 'd.ts'))), file)
      for (const map of [`${file}.map`, file.replace(/js$/, 'd.ts.map')])
        for (const path of JSON.parse(source(map)).sources)
          assert.ok(existsSync(join(installed, 'dist', path)), `${map}: ${path}`)
    }
  })

  // Its tsconfig.json knows no global of Node.
  test('imports nothing of Node', () => {
    const imported = scripts().flatMap((file) => [
      ...source(file).matchAll(/(?:from|import\(?) ?'([^']+)'/g),
    ])
    const names = new Set(imported.map(([, name = '']) => name))
    assert.deepEqual(
      [...names].filter((name) => !name.startsWith('./')),
      ['openapi-fetch'],
    )
  })

  test('exports what is documented, in Node', async () => {
    const code = "console.log(Object.keys(await import('coffee-shop-client')).join())"
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], {
      cwd: app,
    })
    assert.equal(stdout.trim(), 'ShopError,createClient')
  })

  test(`has at most ${MAX_BYTES} bytes, minified and gzipped, with its dependency`, async () => {
    const bundle = await rolldown({ input: join(installed, 'dist/index.js'), platform: 'browser' })
    const { output } = await bundle.generate({ minify: true })
    await bundle.close()

    const bytes = gzipSync(output[0].code).byteLength
    assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`)
    assert.ok(bytes > 3_000, 'openapi-fetch is in it')
    const shown = Number(/together (\d+) KiB/.exec(source('README.md'))?.[1])
    assert.equal(shown, Math.round(bytes / 1024))
  })

  test('has examples in its README that compile, each for its platform', async () => {
    const examples = [...source('README.md').matchAll(/^```(tsx?)\n([^]*?)^```$/gm)]
    assert.equal(examples.length, 4)
    const isForNode = ([, , code = '']: RegExpMatchArray) => code.includes("'node:")
    for (const [forNode, types, lib] of [
      [true, ['node'], ['es2023']],
      [false, [], ['es2023', 'dom']],
    ] as const) {
      const chosen = examples.filter((one) => isForNode(one) === forNode)
      assert.ok(chosen.length > 0)
      const files = chosen.map(([, kind = '', code = ''], at) => [`${at}.${kind}`, code] as const)
      await compile('node_modules/typescript', { files, types, lib })
    }
  })

  for (const compiler of [
    'node_modules/typescript',
    'tools/client-types/node_modules/typescript',
  ]) {
    const { version } = JSON.parse(readFileSync(`${compiler}/package.json`, 'utf8'))
    for (const exactOptionalPropertyTypes of [true, false]) {
      const how = `${exactOptionalPropertyTypes ? 'with' : 'without'} exactOptionalPropertyTypes`
      test(`has types that TypeScript ${version} holds an app to, ${how}`, () =>
        compile(compiler, {
          files: [['types.ts', `${TYPES}\n${exhaustive()}`]],
          types: [],
          lib: ['es2023', 'dom'],
          exactOptionalPropertyTypes,
        }))
    }
  }

  async function compile(
    compiler: string,
    project: {
      files: readonly (readonly [name: string, code: string])[]
      types: readonly string[]
      lib: readonly string[]
      exactOptionalPropertyTypes?: boolean
    },
  ): Promise<void> {
    const folder = mkdtempSync(join(app, 'project-'))
    for (const [name, code] of project.files) writeFileSync(join(folder, name), code)
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: project.exactOptionalPropertyTypes ?? false,
      noUncheckedIndexedAccess: true,
      // A declaration of ours that is broken is `any`, with which the expected errors below do not come.
      skipLibCheck: true,
      noEmit: true,
      target: 'es2023',
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      types: project.types,
      lib: project.lib,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const { stdout } = await run(process.execPath, [`${compiler}/bin/tsc`, '-p', folder]).catch(
      (error) => error,
    )
    assert.equal(stdout, '')
  }
})

/** Each line after `@ts-expect-error` must not compile. */
const TYPES = `
import { createClient, type ErrorCode, type Fetch, type TokenStore } from 'coffee-shop-client'

export const shop = createClient({ baseUrl: '' })
export const cookies = createClient({ baseUrl: '', cookie: true })
// @ts-expect-error The cookie takes the place of a store.
export const both = createClient({ baseUrl: '', cookie: true, tokens: {} as TokenStore })

export async function use(): Promise<void> {
  const me = await shop.GET('/me')
  if (me.error === undefined) {
    const email: string = me.data.email
    const role: 'user' | 'admin' = me.data.role
    console.log(email, role, me.response.status)
  } else {
    const code: ErrorCode = me.error.code
    console.log(code, me.error.errors[0]?.pointer, me.data satisfies undefined)
  }
  const ended = await shop.DELETE('/me/sessions')
  console.log(ended.data satisfies undefined)
  const { data: users = [] } = await shop.GET('/users', { params: { query: { limit: 1 } } })
  console.log(users.map(({ id }) => id satisfies number))
  for await (const { email } of shop.users({ q: 'ann' })) console.log(email satisfies string)
  for await (const mail of shop.each('/users/{id}/mail', { params: { path: { id: 1 } } }))
    console.log(mail.kind satisfies string, shop.sessionId satisfies string | undefined)

  // @ts-expect-error It is no list.
  shop.each('/me')
  // @ts-expect-error The id is missing.
  shop.each('/users/{id}/audit')
  // @ts-expect-error There is no such route.
  await shop.GET('/mee')
  // @ts-expect-error It has no such method.
  await shop.PATCH('/me/sessions', {})
  // @ts-expect-error The id is missing.
  await shop.GET('/users/{id}')
  // @ts-expect-error The id is a number.
  await shop.GET('/users/{id}', { params: { path: { id: 'ann' } } })
  // @ts-expect-error There is no such parameter.
  await shop.GET('/users', { params: { query: { offset: 1 } } })
  // @ts-expect-error There is no such field.
  await shop.PATCH('/me', { body: { name: 'Ann' } })
  // @ts-expect-error The password is missing.
  await shop.POST('/auth/signup', { body: { email: 'ann@example.com' } })
  // @ts-expect-error Tokens come and go by logIn, logOut and the client itself.
  await shop.POST('/auth/login', { body: { email: '', password: '' } })
  // @ts-expect-error Requests go by the fetch of the client, which signs them.
  await shop.GET('/me', { fetch: {} as Fetch })
}
`

/** A switch over all codes, and one that lacks the last. */
function exhaustive(): string {
  const cases = [...Object.keys(ERRORS), 'unreachable'].map((code) => `case '${code}': return`)
  const withCases = (name: string, chosen: readonly string[], expected = '') =>
    `export function ${name}(code: ErrorCode): void {
      switch (code) {\n${chosen.join('\n')}\n}
      ${expected}
      code satisfies never
    }`
  const lacking = withCases('lacking', cases.slice(0, -1), '// @ts-expect-error One is missing.')
  return `${withCases('complete', cases)}\n${lacking}`
}
