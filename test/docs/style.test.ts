import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'

/** Of a file that one reads in a sitting; tests are one family a file, however long. */
const LINES_MAX = 400

/** From top to bottom: a file imports from its own room and from those below it. See STYLE.md. */
const ROOMS =
  'main.ts cli cluster.ts serve.ts open.ts app.ts worker.ts api messages accounts outbox schedule http audit context.ts limits settings passwords keys database errors.ts lib'.split(
    ' ',
  )

interface Source {
  /** Below server/. */
  readonly path: string
  /** Without comments. */
  readonly code: string
  /** Paths below server/ of what it imports from there. */
  readonly imports: readonly string[]
}

const sources: readonly Source[] = globSync('server/**/*.ts')
  .toSorted()
  .map((file) => {
    const code = withoutComments(readFileSync(file, 'utf8'))
    const path = file.slice('server/'.length)
    const imported = [...code.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
    return { path, code, imports: imported.map(([, to = '']) => join(dirname(path), to)) }
  })
const source = (path: string) => {
  const found = sources.find((one) => one.path === path)
  assert.ok(found, path)
  return found
}
const endpoints = sources.filter(({ code }) => /^export function \w+Route\(/m.test(code))
/** Files, with the lines of code in them that match; comments do not count. */
function linesWith(pattern: RegExp, allowed: readonly string[] = []): string[] {
  return sources
    .filter(({ path }) => !allowed.some((name) => path === name || path.startsWith(`${name}/`)))
    .flatMap(({ path, code }) =>
      code
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
}

describe('the layout', () => {
  test('imports go down one list of rooms', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports.filter((to) => depthOf(to) < depthOf(path)).map((to) => `${path} imports ${to}`),
    )
    assert.deepEqual(wrong, [])
    assert.ok(sources.some(({ imports }) => imports.length > 10))
    assert.ok(endpoints.length >= 14)
  })

  test('endpoints do not import endpoints', () => {
    const wrong = endpoints.flatMap(({ path, imports }) =>
      imports
        .filter((to) => endpoints.some((endpoint) => endpoint.path === to))
        .map((to) => `${path} imports ${to}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('every endpoint file is in the list of app.ts', () => {
    const listed = source('app.ts').imports
    assert.deepEqual(
      endpoints.map(({ path }) => path).filter((path) => !listed.includes(path)),
      [],
    )
  })

  for (const { path } of endpoints) {
    const tests = path.replace(/\.ts$/, '.test.ts')
    // What needs no database of its own is tested once.
    const files = [`test/${tests}`, `test/edge/${basename(tests)}`]
    test(`${path} has ${files.join(' or ')}`, () =>
      assert.ok(files.some((file) => existsSync(file))))
  }

  for (const { path, code, imports } of sources.filter((one) => /migrations\//.test(one.path))) {
    test(`${path} imports nothing of the application but types`, () => {
      const types = [...code.matchAll(/import type [^']*'(\.[^']+)'/g)]
      assert.equal(types.length, imports.length)
    })
  }
})

describe('the code', () => {
  for (const [rule, pattern, allowed] of [
    ['no default exports', /^export default\b/, []],
    ['no barrels', /^export (\*|\{[^}]*\}|type \{[^}]*\}) from\b/, []],
    ['imports end in .ts', /from '\.[^']*(?<!\.ts|\.json)'/, []],
    ['only main.ts reads the environment', /\bprocess\.env\b/, ['main.ts']],
    // The clock of SQLite is the machine’s; doctor judges it; lines of the log have it.
    [
      'only ctx.now() tells the time',
      /\bDate\.now\b|new Date\(\)/,
      ['context.ts', 'database/sqlite.ts', 'cli/doctor.ts', 'lib/log.ts'],
    ],
    [
      'only lib/ makes randomness',
      /\b(randomUUID|randomBytes|randomInt|getRandomValues|Math\.random)\b/,
      ['lib'],
    ],
    [
      'only lib/units.ts knows durations',
      /\b(60_?000|3_?600_?000|86_?400_?000)\b/,
      ['lib/units.ts'],
    ],
    [
      'requests hash with hashingFor(), which counts',
      /\bhasher\.(hash|verify)\b/,
      ['http/hashing.ts', 'accounts/admins.ts', 'cli'],
    ],
    ['classes are errors, or what a library asks for', /\bclass \w+(?! extends \w+)\b\s*\{/, []],
    ['nothing is left for later', /\b(TODO|FIXME|XXX)\b/, []],
    ['the console is for commands', /\bconsole\./, ['main.ts', 'cli']],
  ] as const) {
    test(rule, () => assert.deepEqual(linesWith(pattern, allowed), []))
  }

  test('no SQL of a table stands outside the noun that owns it', () => {
    const owners: Readonly<Record<string, readonly string[]>> = {
      users: [
        'accounts/users.ts',
        'accounts/addresses.ts',
        'accounts/search.ts',
        'accounts/passwords.ts',
      ],
      jobs: ['schedule/jobs.ts'],
      keys_in_use: ['keys/keys-in-use.ts'],
      audit_events: ['audit/events.ts'],
      daily_counts: ['audit/daily-counts.ts'],
      erasures: ['accounts/erasures.ts'],
      sign_ups: ['accounts/sign-ups.ts'],
      phone_changes: ['accounts/phone-changes.ts'],
      code_failures: ['accounts/code-failures.ts'],
      sessions: ['accounts/sessions.ts', 'accounts/session-list.ts'],
      password_resets: ['accounts/resets.ts'],
      invitations: ['accounts/invitations.ts'],
      email_changes: ['accounts/email-changes.ts'],
      outbox: ['outbox/outbox.ts', 'outbox/forget.ts', 'outbox/claims.ts', 'outbox/outcomes.ts'],
    }
    const wrong = Object.entries(owners).flatMap(([table, files]) =>
      linesWith(new RegExp(`(insertInto|updateTable|deleteFrom)\\('${table}\\b`), files),
    )
    assert.deepEqual(wrong, [])
  })

  const files = globSync(
    [
      'server/**/*.{ts,mjs}',
      'client/*.ts',
      'test/**/*.ts',
      'scripts/*.ts',
      'web/*.{ts,mjs}',
      'web/src/**/*.{ts,tsx}',
    ],
    {
      exclude: ['client/schema.ts'],
    },
  )

  test('files have names in kebab-case', () => {
    const wrong = files.filter(
      (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(tsx?|mjs)$/.test(basename(file)),
    )
    assert.deepEqual(wrong, [])
  })

  test(`files have at most ${LINES_MAX} lines, but for families of tests`, () => {
    const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').length
    const long = files.filter((file) => !file.endsWith('.test.ts') && linesOf(file) > LINES_MAX)
    assert.deepEqual(long, [])
  })
})

describe('the tests', () => {
  for (const file of globSync('test/**/*.test.ts')) {
    test(`${file} skips nothing for good and mocks nothing`, () => {
      const code = withoutComments(readFileSync(file, 'utf8'))
      const found =
        /\b(test|describe|it)\.(only|todo)\b|\bmock\.(fn|method|module|timers)\b|\bskip: true\b/.exec(
          code,
        )
      assert.equal(found?.[0], undefined)
    })
  }

  // The files of a database run in one process: a hook at the root of one is a hook of all of them.
  for (const file of globSync('test/**/*.test.ts', { exclude: ['test/{slow,machine}/**'] })) {
    test(`${file} has no hook and awaits nothing outside its suites`, () => {
      const code = withoutComments(readFileSync(file, 'utf8'))
      const found = /^(?:before|after)(?:Each)?\(|^(?=\S)(?!.*\basync\b).*\bawait\b/m.exec(code)
      assert.equal(found?.[0], undefined)
    })
  }
})

function depthOf(path: string): number {
  const depth = ROOMS.indexOf(path.split('/')[0] ?? '')
  assert.ok(depth >= 0, `${path} stands in no room: give it one here and in STYLE.md`)
  return depth
}

/** Blanks comments and keeps line breaks; `//` inside a text or an expression is left alone. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .replaceAll(/^(\s*)\/\/.*$/gm, '$1')
}
