import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'

/** Of a file that one reads in a sitting; tests are one family a file, however long. */
const LINES_MAX = 400

/** STYLE.md’s table of ranks; the first pattern that fits counts. */
const RANKS: readonly (readonly [rank: number, pattern: RegExp])[] = [
  [6, /^(main|cli|serve)\.ts$|^commands\//],
  [5, /^(app|worker)\.ts$/],
  [4, /^(users|sessions|audit|outbox)\//],
  [3, /^(http|jobs)\//],
  [2, /^context\.ts$/],
  [
    1,
    /^(config|settings|secret-key|signing-key-file|log|metrics)\.ts$|^(database|limits|mail|sms)\//,
  ],
  [0, /^errors\.ts$|^lib\//],
]

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
const jobs = source('worker.ts').imports.filter((path) => /^(users|sessions|audit)\//.test(path))
const verbs = new Set([...endpoints.map(({ path }) => path), ...jobs])

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
  test('a file imports its own rank or lower', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports.filter((to) => rankOf(to) > rankOf(path)).map((to) => `${path} imports ${to}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('there are endpoints and jobs to judge', () => {
    assert.ok(endpoints.length >= 14)
    assert.ok(jobs.length >= 4)
    assert.ok(sources.some(({ imports }) => imports.length > 10))
  })

  test('endpoints do not import endpoints', () => {
    const wrong = endpoints.flatMap(({ path, imports }) =>
      imports
        .filter((to) => endpoints.some((endpoint) => endpoint.path === to))
        .map((to) => `${path} imports ${to}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('nouns do not import verbs', () => {
    const nouns = sources.filter(({ path }) => rankOf(path) <= 4 && !verbs.has(path))
    const wrong = nouns.flatMap(({ path, imports }) =>
      imports.filter((to) => verbs.has(to)).map((to) => `${path} imports ${to}`),
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
    const name = basename(path, '.ts')
    // What stands at the root, outside the API, has no place under api/.
    const folders = path.startsWith('http/') ? ['test', 'test/edge'] : ['test/api']
    test(`${path} has ${name}.test.ts in ${folders.join(' or ')}`, () =>
      assert.ok(folders.some((folder) => existsSync(`${folder}/${name}.test.ts`))))
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
    // The clock of SQLite is the machine’s; doctor judges the machine’s.
    [
      'only ctx.now() tells the time',
      /\bDate\.now\b|new Date\(\)/,
      ['context.ts', 'database/sqlite.ts', 'commands/doctor.ts'],
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
    ['classes are errors, or what a library asks for', /\bclass \w+(?! extends \w+)\b\s*\{/, []],
    ['nothing is left for later', /\b(TODO|FIXME|XXX)\b/, []],
    ['the console is for commands', /\bconsole\./, ['main.ts', 'cli.ts', 'commands']],
  ] as const) {
    test(rule, () => assert.deepEqual(linesWith(pattern, allowed), []))
  }

  test('no SQL of a table stands outside the noun that owns it', () => {
    const owners: Readonly<Record<string, readonly string[]>> = {
      users: [
        'users/users.ts',
        'users/addresses.ts',
        'users/user-pages.ts',
        'users/expired-users.ts',
        'users/passwords.ts',
      ],
      job_runs: ['jobs/job-runs.ts'],
      audit_events: ['audit/audit.ts'],
      sign_ups: ['users/sign-ups.ts'],
      phone_changes: ['users/phone-changes.ts'],
      code_failures: ['users/code-failures.ts'],
      sessions: ['sessions/sessions.ts', 'sessions/session-list.ts'],
      password_resets: ['users/password-resets.ts'],
      email_changes: ['users/email-changes.ts'],
      outbox: ['jobs/outbox.ts', 'jobs/claims.ts', 'jobs/settlements.ts'],
    }
    const wrong = Object.entries(owners).flatMap(([table, files]) =>
      linesWith(new RegExp(`(insertInto|updateTable|deleteFrom)\\('${table}\\b`), files),
    )
    assert.deepEqual(wrong, [])
  })

  const files = globSync(['server/**/*.{ts,mjs}', 'test/**/*.ts', 'scripts/*.ts'])

  test('files have names in kebab-case', () => {
    const wrong = files.filter(
      (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|mjs)$/.test(basename(file)),
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

function rankOf(path: string): number {
  const found = RANKS.find(([, pattern]) => pattern.test(path))
  assert.ok(found, `${path} has no rank: give it one here and in STYLE.md`)
  return found[0]
}

/** Blanks comments and keeps line breaks; `//` inside a text or an expression is left alone. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .replaceAll(/^(\s*)\/\/.*$/gm, '$1')
}
