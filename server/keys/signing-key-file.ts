import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { platform } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { newId } from '../lib/random.ts'
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

/** The keys of the file as it is now, give or take half a minute. */
export interface SigningKeys {
  /** The one that signs now. */
  signing(): Promise<SigningKey>
  /** Those whose signatures count: they sign, will sign, or signed what may still live. */
  published(): Promise<readonly SigningKey[]>
}

const BYTES_MAX = 64 * 1024
const READ_AGAIN_AFTER_MS = 30 * SECOND_MS
/** A file system that hangs holds up no request for longer. */
const WAIT_MAX_MS = SECOND_MS
const LOCK_PAUSE_MS = 50
const OWNER_ONLY = 0o600

/** Throws an Error that goes on from the setting's name and repeats nothing of the file. */
export function loadSigningKeys(path: string, algorithm: SigningAlgorithm): SigningKeyFile {
  let text: string
  let mode: number
  try {
    const stats = statSync(path)
    assertPlain(stats)
    ;({ mode } = stats)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? 'does not exist'
        : `cannot be read (${codeOf(error) ?? 'no plain file'})`
    throw new Error(`names a file that ${why}; npm run cli -- keys rotate makes one`, {
      cause: error,
    })
  }
  return { path, algorithm, text, keys: parseFile(text, algorithm), openToOthers: isOpen(mode) }
}

/**
 * Reads the file again when somebody asks and the last reading is 30 seconds ago, so that a rotation
 * needs no restart. A file that is missing or broken changes nothing but the log.
 */
export function watchSigningKeys(
  { path, algorithm, ...found }: SigningKeyFile,
  { now, log }: { readonly now: () => number; readonly log: Logger },
): SigningKeys {
  let { text, keys } = found
  let readAtMs = now()
  let isReading = false
  let waited: Promise<unknown> | undefined

  async function readAgain(): Promise<void> {
    try {
      assertPlain(await stat(path))
      const changed = await readFile(path, 'utf8')
      if (changed === text) return
      keys = parseFile(changed, algorithm)
      text = changed
      log.info({ kids: keys.map(({ kid }) => kid) }, 'signing keys: the file has changed')
    } catch (error) {
      log.error({ err: error }, 'signing keys: the file is unusable, the keys of before stay')
    } finally {
      isReading = false
    }
  }
  async function current(): Promise<readonly SigningKey[]> {
    // Also when the clock was put back.
    if (!isReading && Math.abs(now() - readAtMs) >= READ_AGAIN_AFTER_MS) {
      readAtMs = now()
      isReading = true
      waited = atMost(readAgain(), WAIT_MAX_MS)
    }
    await waited
    return keys
  }
  return {
    signing: async () => signingKeyAt(await current(), now()),
    published: async () => publishedKeysAt(await current(), now()),
  }
}

/**
 * Adds the next key to the file, or makes the file. When a key waits for its time already, none is
 * `added`. Of several at once one after the other has its turn, and readers see the old file or the
 * new one. Throws what `loadSigningKeys` throws.
 */
export async function rotateSigningKeys(
  path: string,
  algorithm: SigningAlgorithm,
  { now, patienceMs = 5 * SECOND_MS }: { readonly now: () => number; readonly patienceMs?: number },
): Promise<{ readonly keys: readonly SigningKey[]; readonly added: SigningKey | undefined }> {
  // A link stays one; what it names is replaced.
  const file = exists(path) ? realpathSync(path) : path
  return await withLock(`${file}.lock`, patienceMs, () => {
    const before = exists(file) ? loadSigningKeys(file, algorithm).keys : []
    const keys = withNextKey(before, algorithm, now())
    if (keys === before) return { keys, added: undefined }
    replaceFile(file, formatSigningKeys(keys))
    return { keys, added: keys.at(-1) }
  })
}

function parseFile(text: string, algorithm: SigningAlgorithm): readonly SigningKey[] {
  try {
    return parseSigningKeys(text, algorithm)
  } catch (error) {
    throw new Error(`names a file that ${(error as Error).message}`, { cause: error })
  }
}

function replaceFile(file: string, text: string): void {
  const before = exists(file) ? statSync(file) : undefined
  const temporary = `${file}.${newId()}`
  const handle = openSync(temporary, 'wx', OWNER_ONLY)
  try {
    if (before !== undefined) keepOwner(handle, before)
    writeFileSync(handle, text)
    fsyncSync(handle)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(handle)
  }
  syncFolder(dirname(file))
}

/** Made by root, it must still be the service's to read. */
function keepOwner(handle: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(handle, uid, gid)
  } catch {
    throw new Error('belongs to another user: rotate as that one or as root')
  }
  fchmodSync(handle, mode & 0o777)
}

/** So that the new name outlives a loss of power, where a folder can be synced. */
function syncFolder(folder: string): void {
  if (platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Whoever makes the lock file has the lock. Left by a process that was killed, a person removes it. */
async function withLock<T>(lock: string, patienceMs: number, work: () => T): Promise<T> {
  for (let waitedMs = 0; !tryLock(lock); waitedMs += LOCK_PAUSE_MS) {
    if (waitedMs >= patienceMs) {
      throw new Error(`is being rotated by another process; if it is not, remove ${lock}`)
    }
    await delay(LOCK_PAUSE_MS)
  }
  try {
    return work()
  } finally {
    rmSync(lock)
  }
}

function tryLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', OWNER_ONLY))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function atMost(work: Promise<void>, maxMs: number): Promise<void> {
  const enough = new AbortController()
  const { signal } = enough
  const late = delay(maxMs, undefined, { signal, ref: false }).catch(() => {})
  await Promise.race([work, late])
  enough.abort()
}

/** No pipe, which could be read once only, and no folder. */
function assertPlain(stats: Stats): void {
  if (!stats.isFile() || stats.size > BYTES_MAX) throw new Error('no plain file')
}

function isOpen(mode: number): boolean {
  return (mode & constants.S_IROTH) !== 0
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
