import { pino } from 'pino'

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
]
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`])

/** What pino and the console mailer write to; see `openOutput`. */
export interface Output {
  write(text: string): void
  /** Resolves once everything written before is out. */
  flush(): Promise<void>
  flushSync(): void
  /** Lines lost because nobody read them. */
  readonly droppedLines: () => number
}

const BUFFER_MAX_BYTES = 1024 * 1024

/**
 * Standard output that never blocks the event loop: when nobody reads the pipe, at most one MiB
 * waits, and further lines are dropped and counted.
 */
export function openOutput(fd = 1): Output {
  const stream = pino.destination({ dest: fd, sync: false, maxLength: BUFFER_MAX_BYTES })
  let dropped = 0
  stream.on('drop', () => dropped++)
  // A reader that went away (EPIPE) is no reason to stop serving.
  stream.on('error', () => dropped++)
  return {
    write: (text) => void stream.write(text),
    flush: () =>
      new Promise((resolve, reject) =>
        stream.flush((error) => (error ? reject(error) : resolve())),
      ),
    flushSync() {
      try {
        stream.flushSync()
      } catch {
        // Nobody reads; at exit there is nothing left to do about it.
      }
    },
    droppedLines: () => dropped,
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
    ignore: 'request_id',
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
    code: 'code' in error ? error.code : undefined,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : serializeError(error.cause),
  }
}
