import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
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

/** The key file as read at startup. */
export interface SigningKeyFile {
  readonly path: string
  readonly algorithm: SigningAlgorithm
  /** Never printed. */
  readonly text: string
  readonly keys: readonly SigningKey[]
  /** True when the file is world-readable. */
  readonly openToOthers: boolean
}

/** The current keys of the file, at most ten seconds old. */
export interface SigningKeys {
  /** The current signing key. */
  signing(): SigningKey
  /** The keys that verify tokens: future, current, and former ones with unexpired tokens. */
  published(): readonly SigningKey[]
}

const REREAD_AFTER_MS = 10 * SECOND_MS
const OWNER_ONLY = 0o600

/** Throws an Error whose message continues after the setting's name and quotes nothing from the file. */
export function loadSigningKeys(path: string, algorithm: SigningAlgorithm): SigningKeyFile {
  const { text, mode } = readPlainFile(path)
  const openToOthers = (mode & constants.S_IROTH) !== 0
  return { path, algorithm, text, keys: parseFile(text, algorithm), openToOthers }
}

/**
 * Rereads the file on use, at most every ten seconds, so that a rotation needs no restart. While the
 * file is missing or invalid, the previous keys stay in use and each reread logs an error.
 */
export function watchSigningKeys(
  { path, algorithm, ...found }: SigningKeyFile,
  { now, log }: { readonly now: () => number; readonly log: Logger },
): SigningKeys {
  let { text, keys } = found
  let readAtMs = now()

  function current(): readonly SigningKey[] {
    // abs(): also reread after the clock was set back.
    if (Math.abs(now() - readAtMs) < REREAD_AFTER_MS) return keys
    readAtMs = now()
    try {
      const { text: changed } = readPlainFile(path)
      if (changed === text) return keys
      keys = parseFile(changed, algorithm)
      text = changed
      log.info({ kids: keys.map(({ kid }) => kid) }, 'signing keys: the file has changed')
    } catch (error) {
      log.error({ err: error }, 'signing keys: the file is unusable, the previous keys stay in use')
    }
    return keys
  }
  return {
    signing: () => signingKeyAt(current(), now()),
    published: () => publishedKeysAt(current(), now()),
  }
}

/**
 * Adds the next key to the file or creates the file; `added` is undefined while an added key does not
 * sign yet. The replacement is atomic for readers. Throws like `loadSigningKeys`, and while another
 * process rotates.
 */
export function rotateSigningKeys(
  path: string,
  algorithm: SigningAlgorithm,
  nowMs: number,
): { readonly keys: readonly SigningKey[]; readonly added: SigningKey | undefined } {
  // Replaces the target of a symbolic link, not the link.
  const file = existsSync(path) ? realpathSync(path) : path
  const temporary = `${file}.new`
  const handle = createTemporary(temporary)
  let isRenamed = false
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    const before = stats ? loadSigningKeys(file, algorithm).keys : []
    const keys = withNextKey(before, algorithm, nowMs)
    if (keys === before) return { keys, added: undefined }
    if (stats) {
      fchmodSync(handle, stats.mode & 0o777)
      // The service may read the file by its group. Without the right to do this nothing is replaced.
      fchownSync(handle, stats.uid, stats.gid)
    }
    writeFileSync(handle, formatSigningKeys(keys), { flush: true })
    renameSync(temporary, file)
    isRenamed = true
    return { keys, added: keys.at(-1) }
  } finally {
    closeSync(handle)
    // After the rename another process may have created a file of this name.
    if (!isRenamed) rmSync(temporary)
  }
}

/** A fixed name excludes concurrent rotations, which would lose one of the new keys. */
function createTemporary(path: string): number {
  try {
    return openSync(path, 'wx', OWNER_ONLY)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new Error(`is being rotated by another process; if not, remove ${path}`, { cause: error })
  }
}

/** Refuses pipes, which cannot be reread. */
function readPlainFile(path: string): { text: string; mode: number } {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) throw new Error('not a regular file')
    return { text: readFileSync(path, 'utf8'), mode: stats.mode }
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? 'does not exist'
        : `cannot be read (${codeOf(error) ?? 'not a regular file'})`
    throw new Error(`names a file that ${why}; npm run cli -- keys rotate creates one`, {
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
