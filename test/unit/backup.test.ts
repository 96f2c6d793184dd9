import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../support/process.ts'

/** The commands of docs/runbook.md, with this Node. */
function documentedBackup(): string {
  const [, section = ''] = readFileSync('docs/runbook.md', 'utf8').split('\n## Backup\n')
  const commands = /```sh\n(.*?)```/s.exec(section)?.[1] ?? ''
  assert.match(commands, /^npm exec -- node /m)
  return commands.replace('npm exec -- node', `'${process.execPath}'`)
}

test('the documented backup holds what the log holds, is its owner’s alone, and git ignores it', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'data'))
  writeFileSync(join(folder.path, 'data/secret.key'), 'a key')
  using live = new DatabaseSync(join(folder.path, 'data/app.db'))
  live.exec('pragma journal_mode = wal; create table users (name text)')
  live.exec("insert into users values ('ann')")

  execFileSync('sh', ['-e', '-c', `umask 022\n${documentedBackup()}`], { cwd: folder.path })

  const [copy = '', key = '', ...others] = readdirSync(folder.path).filter(
    (name) => name !== 'data',
  )
  assert.match(copy, /^backup-[0-9TZ]+\.db$/)
  assert.equal(key, copy.replace(/db$/, 'key'))
  assert.deepEqual(others, [])
  for (const name of [copy, key])
    assert.equal(statSync(join(folder.path, name)).mode & 0o777, 0o600)
  using backup = new DatabaseSync(join(folder.path, copy))
  assert.equal(backup.prepare('select name from users').get()?.['name'], 'ann')
  assert.equal(readFileSync(join(folder.path, key), 'utf8'), 'a key')
  const ignored = readFileSync('.gitignore', 'utf8').split('\n')
  for (const pattern of ['backup*.db', 'backup*.key']) assert.ok(ignored.includes(pattern))
})
