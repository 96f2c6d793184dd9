import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { geteuid } from 'node:process'
import {
  formatSigningKeys,
  parseSigningKeys,
  publishedKeysAt,
  type SigningAlgorithm,
  type SigningKey,
  signingKeyAt,
  withNextKey,
} from './signing-keys.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Logger } from '../lib/log.ts'

/** The file as it was found at start. */
export interface SigningKeyFile {
  readonly path: string
  readonly algorithm: SigningAlgorithm
  /** Never printed. */
  readonly text: string
  readonly keys: readonly SigningKey[]
  /** Any user of the machine may read it. */
  readonly openToOthers: boolean
}

/** The keys of the file as it is now, give or take ten seconds. */
export interface SigningKeys {
  /** The one that signs now. */
  signing(): SigningKey
  /** Those whose signatures count: they sign, will sign, or signed what may still live. */
  published(): readonly SigningKey[]
}

const READ_AGAIN_AFTER_MS = 10 * SECOND_MS
const OWNER_ONLY = 0o600

/** Throws an Error that goes on from the setting's name and repeats nothing of the file. */
export function loadSigningKeys(path: string, algorithm: SigningAlgorithm): SigningKeyFile {
  const { text, mode } = readPlainFile(path)
  const openToOthers = (mode & constants.S_IROTH) !== 0
  return { path, algorithm, text, keys: parseFile(text, algorithm), openToOthers }
}

/**
 * Reads the file again when a key is needed and the last reading is ten seconds ago, so that a
 * rotation needs no restart. A file that is missing or broken changes nothing but the log.
 */
export function watchSigningKeys(
  { path, algorithm, ...found }: SigningKeyFile,
  { now, log }: { readonly now: () => number; readonly log: Logger },
): SigningKeys {
  let { text, keys } = found
  let readAtMs = now()

  function current(): readonly SigningKey[] {
    // Also when the clock was put back.
    if (Math.abs(now() - readAtMs) < READ_AGAIN_AFTER_MS) return keys
    readAtMs = now()
    try {
      const { text: changed } = readPlainFile(path)
      if (changed === text) return keys
      keys = parseFile(changed, algorithm)
      text = changed
      log.info({ kids: keys.map(({ kid }) => kid) }, 'signing keys: the file has changed')
    } catch (error) {
      log.error({ err: error }, 'signing keys: the file is unusable, the keys of before stay')
    }
    return keys
  }
  return {
    signing: () => signingKeyAt(current(), now()),
    published: () => publishedKeysAt(current(), now()),
  }
}

/**
 * Adds the next key to the file, or makes the file. When a key waits for its time already, none is
 * `added`. Readers see the old file or the new one. Throws what `loadSigningKeys` throws, and while
 * another process rotates.
 */
export function rotateSigningKeys(
  path: string,
  algorithm: SigningAlgorithm,
  nowMs: number,
): { readonly keys: readonly SigningKey[]; readonly added: SigningKey | undefined } {
  // A symbolic link stays; its target is replaced.
  const file = existsSync(path) ? realpathSync(path) : path
  const temporary = `${file}.new`
  const handle = createTemporary(temporary)
  let isRenamed = false
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats && geteuid && stats.uid !== geteuid())
      throw new Error('belongs to another user: rotate as that user')
    const before = stats ? loadSigningKeys(file, algorithm).keys : []
    const keys = withNextKey(before, algorithm, nowMs)
    if (keys === before) return { keys, added: undefined }
    if (stats) fchmodSync(handle, stats.mode & 0o777)
    writeFileSync(handle, formatSigningKeys(keys), { flush: true })
    renameSync(temporary, file)
    isRenamed = true
    return { keys, added: keys.at(-1) }
  } finally {
    closeSync(handle)
    // After the rename the name may be another process's.
    if (!isRenamed) rmSync(temporary)
  }
}

/** Its name is always the same: two rotations at once would lose the key of one of them. */
function createTemporary(path: string): number {
  try {
    return openSync(path, 'wx', OWNER_ONLY)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new Error(`is being rotated by another process; if not, remove ${path}`, { cause: error })
  }
}

/** A pipe could be read only once. */
function readPlainFile(path: string): { text: string; mode: number } {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) throw new Error('no plain file')
    return { text: readFileSync(path, 'utf8'), mode: stats.mode }
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? 'does not exist'
        : `cannot be read (${codeOf(error) ?? 'no plain file'})`
    throw new Error(`names a file that ${why}; npm run cli -- keys rotate makes one`, {
      cause: error,
    })
  }
}

function parseFile(text: string, algorithm: SigningAlgorithm): readonly SigningKey[] {
  try {
    return parseSigningKeys(text, algorithm)
  } catch (error) {
    throw new Error(`names a file that ${(error as Error).message}`, { cause: error })
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
