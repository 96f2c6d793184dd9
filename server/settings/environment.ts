import { isUtf8 } from 'node:buffer'
import { closeSync, existsSync, lstatSync, openSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { type Setting, SETTINGS } from './settings.ts'

// The texts of settings as people and schedulers hand them over: variables, `.env`, files of secrets. As
// in types.ts, error messages never repeat the value.

export type Environment = Readonly<Record<string, string | undefined>>

/** Far more than any setting needs, and little enough to read from a device that never ends. */
const FILE_MAX_BYTES = 64 * 1024

/**
 * The text of a setting; of a secret also from the file named by `<NAME>_FILE`. Undefined if it is not
 * set or empty. Throws an Error with the reason if it does not arrive as it was meant.
 */
export function readSetting(
  environment: Environment,
  name: string,
  { secret }: Pick<Setting<unknown>, 'secret'>,
): string | undefined {
  const value = plainText(environment[name] ?? '') || undefined
  const file = secret ? withoutLineBreaks(environment[`${name}_FILE`] ?? '') : ''
  if (file === '') return value
  if (value !== undefined) throw new Error(`and ${name}_FILE are both set; keep one`)
  return plainText(readSecretFile(name, file))
}

function readSecretFile(name: string, file: string): string {
  try {
    const text = readUtf8(file)
    // Absent, it would select a default, such as printing mail instead of sending it.
    if (withoutLineBreaks(text) === '') throw new Error('it is empty')
    return text
  } catch (error) {
    throw new Error(
      `cannot be read: the file named by ${name}_FILE cannot be opened as text: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

/** What `.env` sets. `problems` prevent the start, `warnings` do not. */
export interface DotEnv {
  readonly values: Environment
  /** Each starts with the name of a setting or `.env`. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads `.env` like `process.loadEnvFile()`, if there is one. */
export function readDotEnv(path = '.env'): DotEnv {
  // Unlike `existsSync()`, this finds a link to a file that does not exist.
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    return { values: {}, problems: [], warnings: existsSync(BESIDE_THE_CODE) ? [NOT_READ] : [] }
  }
  let text: string
  try {
    text = readUtf8(path)
  } catch (error) {
    const problem = `.env cannot be read: ${(error as Error).message}`
    return { values: {}, problems: [problem], warnings: [] }
  }
  const values = parseEnv(text)
  const unknown = Object.keys(values)
    .filter((name) => !KNOWN.has(name) && !OTHERS.test(name))
    .map((name) => `.env contains ${name}, which is not a setting; check the spelling`)
  return { values, problems: dotEnvProblems(text), warnings: unknown }
}

const BESIDE_THE_CODE = fileURLToPath(new URL('../../.env', import.meta.url))
const NOT_READ = `${BESIDE_THE_CODE} is not read: settings come from .env in the working directory`

const KNOWN = new Set(
  Object.entries<Setting<unknown>>(SETTINGS).flatMap(([name, { secret }]) =>
    secret ? [name, `${name}_FILE`] : [name],
  ),
)

/** Variables of other programs that share the file. */
const OTHERS = /^(?:NODE|UV|NPM|COMPOSE|DOCKER|POSTGRES|TZ)(?:_|$)|^PG[A-Z]+$/

/** As `parseEnv()` reads it: a value in quotation marks may have several lines, and # ends any other. */
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?(?<name>[^\s=#][^\n=]*?)[ \t]*=[ \t]*(?:(?<quoted>(["'`])[^]*?\3)[^\n]*|(?<bare>[^\n]*))$/gm

/** What `parseEnv()` would skip or cut off without a word. */
function dotEnvProblems(text: string): string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  for (const { groups: { name = '', quoted = '', bare = '' } = {} } of text.matchAll(ASSIGNMENT)) {
    if (KNOWN.has(name) && seen.has(name)) {
      problems.push(`${name} is set twice in .env; keep one line`)
    }
    if (KNOWN.has(name) && /^#\S|[^\s#]#/.test(bare)) {
      problems.push(`${name} is cut off at # in .env; put the value in quotation marks`)
    }
    // It would be kept as part of the value.
    if (KNOWN.has(name) && /^["'`]/.test(bare)) {
      problems.push(`${name} lacks its closing quotation mark in .env`)
    }
    for (const line of quoted.split('\n').slice(1)) {
      const lost = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? ''
      if (KNOWN.has(lost)) problems.push(`${lost} is inside the quotation marks of ${name} in .env`)
    }
    seen.add(name)
  }
  for (const line of text.replaceAll(ASSIGNMENT, '').split('\n')) {
    const name = /^\s*(?:export\s+)?(\w+)/.exec(line)?.[1] ?? ''
    if (KNOWN.has(name)) problems.push(`${name} has no = after it in .env; write ${name}=value`)
  }
  return problems
}

/** Without the line breaks that editors, `echo` and Kubernetes add; throws for what nobody means. */
function plainText(value: string): string {
  const text = withoutLineBreaks(value)
  const stray = /^[\s\p{Cf}]|[\s\p{Cf}]$/u.exec(text)
  if (stray !== null) {
    const codePoint = stray[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    const where = stray.index === 0 ? 'begins' : 'ends'
    throw new Error(
      `${where} with white space or an invisible character (U+${codePoint}); remove it`,
    )
  }
  if (/^(["'`])[^]*\1$/.test(text)) {
    throw new Error('is in quotation marks, which docker --env-file keeps; remove them')
  }
  if (/^(?:tcp|udp|sctp):\/\//.test(text)) {
    throw new Error(
      'is the address of a service, as Kubernetes sets it; add enableServiceLinks: false to the pod',
    )
  }
  return text
}

function withoutLineBreaks(value: string): string {
  return value.replace(/[\r\n]+$/, '')
}

/** Throws an Error with the reason. */
function readUtf8(path: string): string {
  const content = readBytes(path)
  if (content.length > FILE_MAX_BYTES) throw new Error('it is larger than 64 KiB')
  // Without its mark, UTF-16 shows by the zero byte of its first character.
  const isUtf16 =
    /^(?:fffe|feff)/.test(content.toString('hex', 0, 2)) || content.subarray(0, 2).includes(0)
  if (isUtf16) throw new Error('it is UTF-16; save it as UTF-8')
  // Decoding random bytes as UTF-8 would lose most of their entropy.
  if (!isUtf8(content)) throw new Error('it is not UTF-8')
  const text = content.toString('utf8')
  if (text.startsWith('\ufeff')) {
    throw new Error('it begins with a byte order mark; save it as UTF-8 without one')
  }
  return text
}

/** The whole file, or one byte more than is accepted. */
function readBytes(path: string): Buffer {
  const buffer = Buffer.alloc(FILE_MAX_BYTES + 1)
  let length = 0
  try {
    const file = openSync(path, 'r')
    try {
      for (let read = -1; read !== 0; length += read) {
        read = readSync(file, buffer, length, buffer.length - length, null)
      }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new Error(UNREADABLE[code] ?? `it is not readable (${code})`, { cause: error })
  }
  return buffer.subarray(0, length)
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist, or is a link to a file that does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'it is not readable by this user',
}
