import { write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { SECOND_MS } from './units.ts'

const writeSome = promisify(write)

export type Logger = pino.Logger

/** Keys whose values are never logged, wherever they stand up to three levels deep. */
const SECRET_KEYS = [
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
  'secretKey',
  'databaseUrl',
  'mailUrl',
  'smsUrl',
  'redisUrl',
]
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`])

/** What pino and the console mailer write to; see `openOutput`. */
export interface Output {
  write(text: string): void
  /**
   * Resolves once everything written before is out. Rejects when a line was lost since the last
   * flush, and after two seconds when nobody reads.
   */
  flush(): Promise<void>
  /** Lines lost because nobody read them. */
  readonly droppedLines: () => number
}

/** Nobody reads: what is written waits in a thread that cannot be stopped. */
export class OutputStuckError extends Error {
  override readonly name = 'OutputStuckError'
}

const BUFFER_MAX_BYTES = 1024 * 1024
const FLUSH_MAX_MS = 2 * SECOND_MS
const RETRY_MS = 20

/**
 * Standard output that never blocks the event loop: when nobody reads the pipe, at most one MiB
 * waits, and further lines are dropped and counted. Not pino's own destination: its `flush` answers
 * at once, or fails on a pipe, and its `flushSync` waits for a reader for ever.
 */
export function openOutput(fd = 1): Output {
  let queue: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let lostSinceFlush = false
  let writing = false
  let flushes: ((lost: boolean) => void)[] = []

  /** One batch at a time; a flush is settled by the batch that follows what it waits for. */
  async function drain(): Promise<void> {
    writing = true
    while (queue.length > 0 || flushes.length > 0) {
      const lines = queue
      const settle = flushes
      queue = []
      flushes = []
      // What is refused from here on is the next batch's: these flushes do not wait for it.
      let lost = lostSinceFlush
      lostSinceFlush = false
      const batch = Buffer.from(lines.join(''))
      // A reader that went away (EPIPE) or a full disk is no reason to stop serving.
      await writeWhole(fd, batch).catch(() => {
        dropped += lines.length
        lost = true
      })
      waitingBytes -= batch.length
      for (const done of settle) done(lost)
      if (settle.length === 0) lostSinceFlush ||= lost
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
        const timer = setTimeout(
          () => reject(new OutputStuckError('nobody reads the output')),
          FLUSH_MAX_MS,
        )
        flushes.push((lost) => {
          clearTimeout(timer)
          if (lost) reject(new Error('the output lost a line'))
          else resolve()
        })
        if (!writing) void drain()
      }),
    droppedLines: () => dropped,
  }
}

async function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += (await writeSome(fd, bytes, offset)).bytesWritten
    } catch (error) {
      // Somebody made the shared end of the pipe non-blocking, and it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await delay(RETRY_MS)
    }
  }
}

/** A pino logger; `pretty` is loaded only where a person reads along. */
export async function createLogger(
  options: { level: string; format: 'pretty' | 'json' },
  output: Pick<Output, 'write'>,
): Promise<Logger> {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: { err: serializeError },
  }
  if (options.format === 'json') return pino(settings, output)
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino(settings, { write: (line: string) => output.write(pretty(line) ?? line) })
}

/**
 * An error as its type, code, message, stack and causes. Never the fields that drivers add: pg puts
 * the refused row into `detail`.
 */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is no Error was thrown' }
  return {
    type: error.name,
    // A plain `code` would be redacted: verification codes are called so.
    error_code: 'code' in error ? error.code : undefined,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : serializeError(error.cause),
  }
}
