import { write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { createPacer } from './pacer.ts'
import { reasonOf } from './reasons.ts'
import { SECOND_MS, toIso } from './units.ts'

const writeSome = promisify(write)

export type Logger = pino.Logger

/** Keys whose values are redacted, up to three levels deep. */
const SECRET_KEYS = new Set([
  'password',
  'current_password',
  'new_password',
  'password_hash',
  'code',
  'token',
  'access_token',
  'refresh_token',
  'authorization',
  'cookie',
  'set-cookie',
  'secretKey',
  'databaseUrl',
  'mailUrl',
  'smsUrl',
  'redisUrl',
])
const SECRET_LEVELS = 3

/** The output of pino and the console mailer; see `openOutput`. */
export interface Output {
  write(text: string): void
  /**
   * Resolves once all earlier lines are written. Rejects when a line was dropped since the last
   * flush, and after two seconds when the reader does not read.
   */
  flush(): Promise<void>
  /** The number of dropped lines. */
  readonly droppedLines: () => number
}

/** The reader does not read: the pending write blocks a thread and cannot be cancelled. */
export class OutputStuckError extends Error {
  override readonly name = 'OutputStuckError'
}

const BUFFER_MAX_BYTES = 1024 * 1024
/** POSIX's least PIPE_BUF is 512, that of Linux is 4096: what processes write into a pipe without mixing it. */
const WHOLE_MAX_BYTES = 4096
const FLUSH_MAX_MS = 2 * SECOND_MS
/** After a write: each wakes a thread, which for every single line takes a fifth of a request’s CPU. */
const REST_MS = 5
const RETRY_MS = 20

/**
 * Standard output that never blocks the event loop: it buffers at most one MiB, then drops and counts
 * lines. pino's own destination does not fit: its `flush` returns early or fails on a pipe, and its
 * `flushSync` waits for a reader without a time limit.
 */
export function openOutput(fd = 1, { isShared = false } = {}): Output {
  let queue: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let lostSinceFlush = false
  let writing = false
  let flushes: ((lost: boolean) => void)[] = []

  /** Writes one batch at a time; a flush settles with the batch that contains the lines before it. */
  async function drain(): Promise<void> {
    writing = true
    while (queue.length > 0 || flushes.length > 0) {
      const lines = isShared ? takeUpTo(WHOLE_MAX_BYTES, queue) : queue
      if (!isShared) queue = []
      const settle = queue.length === 0 ? flushes : []
      if (queue.length === 0) flushes = []
      // Lines that are dropped from here on concern the flushes of the next batch.
      let lost = lostSinceFlush
      lostSinceFlush = false
      const batch = Buffer.from(lines.join(''))
      // A closed pipe (EPIPE) or a full disk must not stop the service.
      await writeWhole(fd, batch).catch(() => {
        dropped += lines.length
        lost = true
      })
      waitingBytes -= batch.length
      for (const done of settle) done(lost)
      if (settle.length === 0) lostSinceFlush ||= lost
      // Not while lines wait that did not fit.
      if (lines.length > 0 && !(isShared && queue.length > 0)) await delay(REST_MS)
    }
    writing = false
  }

  return {
    write(text) {
      const bytes = Buffer.byteLength(text)
      if (waitingBytes + bytes > BUFFER_MAX_BYTES) {
        dropped++
        lostSinceFlush = true
        return
      }
      waitingBytes += bytes
      queue.push(text)
      if (!writing) void drain()
    },
    flush: () =>
      new Promise((resolve, reject) => {
        const refuse = () => reject(new OutputStuckError('the output is not being read'))
        // After a turn in which a process that was held up itself sees what was written meanwhile.
        const timer = setTimeout(() => setImmediate(refuse), FLUSH_MAX_MS)
        flushes.push((lost) => {
          clearTimeout(timer)
          if (lost) reject(new Error('a line of output was lost'))
          else resolve()
        })
        if (!writing) void drain()
      }),
    droppedLines: () => dropped,
  }
}

/** Removes the first of the lines, and those after it that fit. */
function takeUpTo(maxBytes: number, lines: string[]): string[] {
  let bytes = 0
  const end = lines.findIndex((line, index) => {
    bytes += Buffer.byteLength(line)
    return bytes > maxBytes && index > 0
  })
  return lines.splice(0, end === -1 ? lines.length : end)
}

async function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += (await writeSome(fd, bytes, offset)).bytesWritten
    } catch (error) {
      // Another process made the shared pipe non-blocking, and it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await delay(RETRY_MS)
    }
  }
}

/** Creates a pino logger; pino-pretty is loaded only for `pretty`. */
export async function createLogger(
  options: { level: string; format: 'pretty' | 'json' },
  output: Pick<Output, 'write'>,
): Promise<Logger> {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${toIso(Date.now())}"`,
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecrets },
    serializers: { err: (error: unknown) => serializeError(error) },
    hooks: { logMethod: paceOutages() },
  }
  if (options.format === 'json') return hidingBindings(pino(settings, output))
  // Its default: the bundle of the image has no names of a CommonJS package that is imported here.
  const { default: pinoPretty } = await import('pino-pretty')
  const printer = (errorLikeObjectKeys: string[]) =>
    pinoPretty.prettyFactory({
      colorize: true,
      singleLine: true,
      translateTime: 'SYS:HH:MM:ss',
      errorLikeObjectKeys,
    })
  // Only a stack takes more than one line: an outage, which has none, is told like anything else.
  const [withStack, onOneLine] = [printer(['err']), printer([])]
  const prettily = {
    write: (line: string) =>
      output.write((line.includes('"stack":') ? withStack : onOneLine)(line) ?? line),
  }
  return hidingBindings(pino(settings, prettily))
}

/** pino applies no formatter to the bindings of a child. Children inherit this method. */
function hidingBindings(log: Logger): Logger {
  const { child } = log
  function hiding(this: Logger, ...[bindings, options]: Parameters<typeof child>) {
    return child.call(this, withoutSecrets(bindings), options)
  }
  return Object.assign(log, { child: hiding })
}

/**
 * Returns fields of a line with the values of secret keys replaced. Instead of pino's `redact`, which
 * parses its paths anew for each line and each child. Measured: 74 µs a request, this 1.
 */
function withoutSecrets(fields: Record<string, unknown>, levels = SECRET_LEVELS) {
  let shown = fields
  for (const key of Object.keys(fields)) {
    const value = fields[key]
    // `serializeError` has none of these keys, and needs the error itself.
    if (key === 'err' && levels === SECRET_LEVELS) continue
    let replaced = value
    if (SECRET_KEYS.has(key)) replaced = '[redacted]'
    else if (levels > 1 && typeof value === 'object' && value !== null)
      replaced = withoutSecrets(value as Record<string, unknown>, levels - 1)
    if (replaced === value) continue
    // The caller's own object stays as it is.
    if (shown === fields) shown = (Array.isArray(fields) ? [...fields] : { ...fields }) as never
    shown[key] = replaced
  }
  return shown
}

/** Fields that only say where an outage was noticed. */
const PLACES = new Set(['err', 'job', 'channel', 'request_id'])
const FATAL = pino.levels.values['fatal'] ?? Infinity

/** One line a second says that there is an outage; lines that say what it cost, such as an id, are all written. */
function paceOutages(): NonNullable<NonNullable<pino.LoggerOptions['hooks']>['logMethod']> {
  const isLineDue = createPacer(() => performance.now(), SECOND_MS)
  return function (args, method, level) {
    const fields: unknown = args[0]
    const { err } = (fields ?? {}) as { err?: unknown }
    const isRepeated =
      // One that ends the process is more than an outage.
      level < FATAL &&
      isOutage(err) &&
      Object.keys(fields as object).every((key) => PLACES.has(key))
    if (!isRepeated || isLineDue()) method.apply(this, args)
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'database_unavailable'
}

/**
 * Serialises an error's type, code, message, stack and causes, but no fields added by drivers: pg puts
 * the refused row into `detail`. An outage has no stack: it is no bug.
 */
function serializeError(error: unknown, { withStack = !isOutage(error) } = {}): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is not an Error was thrown' }
  return {
    type: error.name,
    // `code` would be redacted, because verification codes have that key.
    error_code: 'code' in error ? error.code : undefined,
    message: reasonOf(error),
    stack: withStack ? error.stack : undefined,
    cause: error.cause === undefined ? undefined : serializeError(error.cause, { withStack }),
  }
}
