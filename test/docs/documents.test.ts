import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { generatedFiles } from '../../scripts/docs.ts'

const documents = globSync(['*.md', 'client/*.md', 'docs/**/*.md']).toSorted()
const text = (path: string) => readFileSync(path, 'utf8')
const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> }
const commands = new Set(
  [
    ...text('server/cli/run.ts').matchAll(
      /^ {2}'?((?:(?:users|mail|keys|sessions) )?[a-z-]+)'?[:,]/gm,
    ),
  ].map(([, name]) => name),
).add('help')

describe('the documents', () => {
  test('are all there', () => {
    const wanted = ['README.md', 'STYLE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
    const folder = ['configuration', 'errors', 'operations', 'security']
    const missing = [...wanted, ...folder.map((name) => `docs/${name}.md`)].filter(
      (path) => !documents.includes(path),
    )
    assert.deepEqual(missing, [])
    assert.match(
      text('LICENSE'),
      /^MIT License\n\nCopyright \(c\) 2026 The Coffee Shop API authors/,
    )
  })

  for (const [path, most] of [
    ['README.md', 120],
    ['STYLE.md', 200],
  ] as const) {
    test(`${path} has at most ${most} lines`, () => {
      assert.ok(text(path).trimEnd().split('\n').length <= most)
    })
  }

  for (const command of ['npm ci && npm start', 'npm ci && npm test']) {
    test(`README.md shows \`${command}\` on a line of its own`, () => {
      assert.ok(text('README.md').split('\n').includes(command))
    })
  }

  test('docs/openapi.json is what the service serves, and client/schema.ts has its types', async () => {
    const generated = await generatedFiles()
    for (const path of ['docs/openapi.json', 'client/schema.ts'])
      assert.equal(text(path), generated.get(path), 'run npm run docs')
  })

  test('decisions are numbered without a gap, and each says what was rejected', () => {
    const decisions = globSync('docs/decisions/*.md').toSorted()
    assert.ok(decisions.length > 0)
    for (const [index, path] of decisions.entries()) {
      assert.match(path, new RegExp(`/${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`))
      assert.match(text(path), new RegExp(`^# ${index + 1}\\. `))
      assert.match(text(path), /\n## Decision\n[^]*\nRejected: /)
    }
  })

  for (const path of documents) {
    const words = text(path)

    test(`${path} links only to what exists`, () => {
      const links = [...words.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
      const broken = links.filter((target) => !target.includes('://') && !resolves(path, target))
      assert.deepEqual(broken, [])
    })

    test(`${path} has lines of at most 120 characters outside tables and code`, () => {
      const prose = words.replaceAll(/^ *```[^]*?^ *```$/gm, '').split('\n')
      const long = prose.filter((line) => line.length > 120 && !line.startsWith('|'))
      assert.deepEqual(long, [])
    })

    test(`${path} names only files, npm scripts and commands that exist`, () => {
      const files = [...words.matchAll(/`((?:server|client|test|scripts|docs|tools)\/[\w./-]+)`/g)]
      const missing = files.filter(([, file = '']) => !existsSync(file)).map(([, file]) => file)
      assert.deepEqual(missing, [])

      const ran = [...words.matchAll(/npm run (?:-s )?([a-z:-]+)/g)].map(([, name = '']) => name)
      assert.deepEqual(
        ran.filter((name) => !Object.hasOwn(scripts, name)),
        [],
      )
      const named = [
        ...words.matchAll(/npm run cli -- ((?:users|mail|keys|sessions) [a-z-]+|[a-z]+)/g),
      ]
      assert.deepEqual(
        named.map(([, command = '']) => command).filter((command) => !commands.has(command)),
        [],
      )
    })
  }
})

/** A file, a folder, or a heading in one, named as GitHub names it. */
function resolves(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? from : join(dirname(from), path)
  if (!existsSync(file)) return false
  if (anchor === undefined) return true
  const headings = [...text(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
  return headings.includes(anchor)
}
