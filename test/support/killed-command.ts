import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SETTINGS } from './service.ts'

const urlOf = (path: string) => pathToFileURL(resolve(import.meta.dirname, path)).href

interface Command {
  /** In server/cli/. */
  readonly file: string
  readonly name: string
  readonly args?: readonly string[]
}

/**
 * Runs one command of the program, killed at one statement; true if it was. The command alone, in a
 * process of its own: to load the whole program, too, takes four times as long.
 */
export async function isKilledAt(
  statement: number,
  { file, name, args = [] }: Command,
  { url, when }: { url: string; when: 'before' | 'sent' },
): Promise<boolean> {
  const script = `
    import { ${name} } from ${JSON.stringify(urlOf(`../../server/cli/${file}`))}
    process.exitCode = await ${name}.run(${JSON.stringify(args)}, process.env)`
  const imports = ['../../server/require-node.mjs', './kill-at-statement.ts']
  const options = imports.map((path) => `--import=${urlOf(path)}`)
  const child = spawn(process.execPath, [...options, '--input-type=module', '--eval', script], {
    cwd: tmpdir(),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...SETTINGS, DATABASE_URL: url, KILL_AT: String(statement), KILL_WHEN: when },
  })
  const [exitCode, signal] = await once(child, 'close')
  if (signal === null) assert.equal(exitCode, 0)
  return signal === 'SIGKILL'
}
