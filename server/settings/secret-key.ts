import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { newId, newSecret } from '../lib/random.ts'
import { secretKey } from './types.ts'

const FILE_NAME = 'secret.key'

/**
 * Reads the secret key next to the SQLite file, or creates it. Concurrent processes use the same key:
 * `link()` never replaces a file, and the linked file is complete and synced to disk. Without a path (a
 * private database) the key lasts as long as the process.
 */
export function loadOrCreateSecretKey(databasePath: string | undefined): string {
  const fresh = newSecret()
  if (databasePath === undefined) return fresh
  const folder = dirname(databasePath)
  const file = join(folder, FILE_NAME)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return readKey(file) ?? publishKey(fresh, folder, file)
}

function readKey(file: string): string | undefined {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read`, { cause: error })
  }
  try {
    return secretKey(key)
  } catch (error) {
    // Replacing it silently would end all sessions and invalidate all mailed codes.
    throw new Error(`${file} is damaged; restore it or remove it`, { cause: error })
  }
}

function publishKey(key: string, folder: string, file: string): string {
  const temporary = join(folder, `.${FILE_NAME}.${newId()}`)
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
