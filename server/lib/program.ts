import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder of package.json, in a checkout and in the image. */
export const ROOT = resolve(import.meta.dirname, '../..')
const COMMIT = /^[0-9a-f]{7,64}$/

/** `Coffee Shop API 1.0.0 (commit 0123456789ab)`, for operators only: attackers look for versions. */
export function program(): string {
  const { version, commit } = release()
  return `Coffee Shop API ${version}${commit === undefined ? '' : ` (commit ${commit})`}`
}

/**
 * The version of package.json, and the commit: from the file `commit`, which an image can bring, or from
 * the checkout; undefined if neither is there.
 */
export function release(): { readonly version: string; readonly commit: string | undefined } {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const head = read('commit') || read('.git/HEAD')
  const ref = /^ref: (\S+)$/.exec(head)?.[1]
  const commit = ref === undefined ? head : read(`.git/${ref}`) || packed(ref)
  return { version, commit: COMMIT.test(commit) ? commit.slice(0, 12) : undefined }
}

function packed(ref: string): string {
  const line = read('.git/packed-refs')
    .split('\n')
    .find((entry) => entry.endsWith(` ${ref}`))
  return line?.split(' ')[0] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(join(ROOT, path), 'utf8').trim()
  } catch {
    return ''
  }
}
