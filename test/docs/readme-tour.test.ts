import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProgram } from '../support/process.ts'
import { SETTINGS } from '../support/service.ts'

const ADMIN_PASSWORD = 'a long one, only for the tour'

/** The tour’s commands, with what a person types taken from standard input instead. */
function tour(url: string): string {
  const readme = readFileSync('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('## A tour'), readme.indexOf('## More'))
  const blocks = [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) => block)
  const replacements = [
    ['http://localhost:8000', url],
    ['CODE=123456', 'echo; echo signed up; read -r CODE'],
    ['npm run cli', `echo '${ADMIN_PASSWORD}' | npm run cli`],
    // There is no terminal whose echo could be turned off.
    ['stty -echo;', ''],
    ['; stty echo', ''],
  ] as const
  let commands = blocks.join('\necho\n')
  for (const [written, typed] of replacements) {
    assert.equal(commands.split(written).length, 2, `${written} stands once in the tour`)
    commands = commands.replace(written, () => typed)
  }
  return `set -eu\n${commands}`
}

test('the tour of the README works to its end, as it is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-tour-'))
  const settings = { ...SETTINGS, DATABASE_URL: `sqlite:///${join(folder, 'app.db')}` }
  try {
    await using service = startProgram({ env: { ...settings, PORT: '0' } })
    // On Debian this is dash, which knows no more than POSIX.
    const shell = spawn('sh', ['-c', tour(await service.url())], {
      env: { PATH: process.env['PATH'], HOME: folder, ...settings },
    })
    let printed = ''
    let complaints = ''
    shell.stdout.on('data', (text) => (printed += text))
    shell.stderr.on('data', (text) => (complaints += text))
    const [, code] = await service.printed(/🔑 Verification code for ann@example\.com: (\d{6})/)
    shell.stdin.end(`${code}\n${ADMIN_PASSWORD}\n`)
    const [exitCode] = await once(shell, 'close')

    assert.equal(exitCode, 0, `${printed}\n${complaints}`)
    const steps = [
      'signed up',
      '{"message":"User verified successfully"}',
      '"full_name":"Ann Lee"',
      '"full_name":"Ann B. Lee"',
      '"email":"admin@example.com"',
      '[{"id":1,"email":"ann@example.com"',
      '204',
      '"code":"invalid_token"',
    ]
    const found = steps.map((step) => printed.indexOf(step))
    assert.ok(!found.includes(-1), printed)
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
