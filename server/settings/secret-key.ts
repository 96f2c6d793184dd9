import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { newId, newSecret } from '../lib/random.ts'
import { HOUR_MS } from '../lib/units.ts'
import { previousKey, secretKey } from './types.ts'

const SECRET_KEY_FILE = 'secret.key'
const JWT_KEY_FILE = 'jwt-secret.key'
/** The longest lifetime of an access token. */
const TOKENS_LIVE_MS = HOUR_MS

/**
 * Reads the secret key next to the SQLite file, or creates it. Concurrent processes use the same key:
 * `link()` never replaces a file, and the linked file is complete and synced to disk. Without a path (a
 * private database), and without a file if `creates` is false, the key lasts as long as the process.
 */
export function loadOrCreateSecretKey(
  databasePath: string | undefined,
  { name = SECRET_KEY_FILE, creates = true } = {},
): string {
  const fresh = newSecret()
  if (databasePath === undefined) return fresh
  const folder = dirname(databasePath)
  const file = join(folder, name)
  if (!creates) return readKey(file) ?? fresh
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return readKey(file) ?? publishKey(fresh, folder, file)
}

/** The key of access tokens next to the SQLite file, which is created like the secret key. */
export function loadOrCreateJwtKey(databasePath: string | undefined, creates = true): string {
  return loadOrCreateSecretKey(databasePath, { name: JWT_KEY_FILE, creates })
}

export function hasJwtKeyFile(databasePath: string | undefined): boolean {
  return databasePath !== undefined && existsSync(join(dirname(databasePath), JWT_KEY_FILE))
}

/**
 * Until when tokens signed with the secret key are accepted, in Unix milliseconds: for an hour if an
 * earlier version, which had no other key, created the secret key. A new installation creates it last.
 */
export function secretKeySignedUntilMs(databasePath: string | undefined): number | undefined {
  if (databasePath === undefined) return undefined
  const createdAtMs = (name: string) =>
    statSync(join(dirname(databasePath), name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const jwtKeyAtMs = createdAtMs(JWT_KEY_FILE)
  return createdAtMs(SECRET_KEY_FILE) < jwtKeyAtMs ? jwtKeyAtMs + TOKENS_LIVE_MS : undefined
}

function readKey(file: string): string | undefined {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    // Often one that root restored.
    const remedy = 'make it a file of the user who runs the service'
    throw new Error(`${file} cannot be read (${code}); ${remedy}`, { cause: error })
  }
  try {
    previousKey(key)
  } catch (error) {
    // Replacing it silently would end all sessions and invalidate all mailed codes.
    throw new Error(`${file} is damaged; restore it or remove it`, { cause: error })
  }
  try {
    return secretKey(key)
  } catch (error) {
    throw new Error(`the key in ${file} ${(error as Error).message}`, { cause: error })
  }
}

function publishKey(key: string, folder: string, file: string): string {
  const temporary = join(folder, `.${basename(file)}.${newId()}`)
  const handle = openNew(temporary)
  try {
    writeSync(handle, `${key}\n`)
    fsyncSync(handle)
    linkSync(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(handle)
    unlinkSync(temporary)
  }
  const published = readKey(file)
  if (published === undefined) throw new Error(`${file} was removed during its creation`)
  return published
}

function openNew(file: string): number {
  try {
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `no key can be created in the folder of the database (${code}); allow this user to write there`,
      { cause: error },
    )
  }
}
