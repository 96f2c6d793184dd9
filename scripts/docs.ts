// Writes what follows from the code: docs/openapi.json, the types of the client, the table of settings.
// npm run docs writes them; npm run docs -- --check fails when one is not current.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createApp } from '../server/app.ts'
import { withContext } from '../server/cli/terminal.ts'
import { apiDocument } from '../server/api/public/documentation.ts'
import { type Setting, SETTINGS } from '../server/settings/settings.ts'
import { plainText } from '../server/settings/shown.ts'

const BEGIN = '<!-- settings: written by npm run docs -->'
const END = '<!-- end of settings -->'

/** Each generated file by its path, with the text that it should have. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const configuration = 'docs/configuration.md'
  const document = `${JSON.stringify(await openApiDocument(), null, 2)}\n`
  return new Map([
    ['docs/openapi.json', document],
    ['client/schema.ts', clientTypes(document)],
    [configuration, withSettingsTable(readFileSync(configuration, 'utf8'))],
  ])
}

/** The default as people would write it into .env; undefined where there is no plain value. */
export function plainDefault({ default: value }: Setting<unknown>): string | undefined {
  return plainText(value)
}

/** The document depends on no setting and no data: an empty private database will do. */
function openApiDocument(): Promise<object> {
  return withContext({ DATABASE_URL: 'sqlite:///:memory:' }, async (ctx) => {
    const app = createApp(ctx)
    const document = await apiDocument(app)
    await app.close()
    return document
  })
}

/** In a process of its own: openapi-typescript needs a TypeScript that this project no longer has. */
function clientTypes(document: string): string {
  const args = ['tools/client-types/generate.mjs']
  return execFileSync(process.execPath, args, { input: document, encoding: 'utf8' })
}

function withSettingsTable(markdown: string): string {
  const [before, rest] = markdown.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('the table’s markers are gone')
  return `${before}${BEGIN}\n\n${settingsTable()}\n\n${END}${after}`
}

function settingsTable(): string {
  const rows = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const names = setting.secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``
    const allowed = setting.parse.allowed ?? ''
    const cells = [names, defaultCell(setting), allowed, setting.unit ?? '', setting.description]
    return `| ${cells.join(' | ')} |`
  })
  return ['| Name | Default | Allowed | Unit | Meaning |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  )
}

function defaultCell(setting: Setting<unknown>): string {
  if (setting.defaultText !== undefined) return setting.defaultText.replaceAll('<', '&lt;')
  const plain = plainDefault(setting)
  return plain === undefined ? 'none' : `\`${plain}\``
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  for (const [path, text] of await generatedFiles()) {
    if (!check) writeFileSync(path, text)
    else if (readFileSync(path, 'utf8') !== text) {
      console.error(`${path} is not current: run npm run docs`)
      process.exitCode = 1
    }
  }
}
