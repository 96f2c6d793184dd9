import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ROOT } from './processes.ts'

/** Installs what a folder's own package-lock.json says, once. */
export function installPackages(folder: string): void {
  const cwd = resolve(ROOT, folder)
  if (existsSync(resolve(cwd, 'node_modules'))) return
  console.log(`npm ci in ${folder}`)
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`npm ci failed in ${folder}`)
}
