import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { readConfig } from '../config.ts'
import type { Context } from '../context.ts'
import { createLogger } from '../log.ts'
import { openContext } from '../serve.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Command {
  readonly usage: string
  readonly summary: string
  run(args: readonly string[], environment: Environment): Promise<number>
}

/** The command was called wrongly; its usage is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `parseArgs` of Node, whose complaints become UsageErrors. */
export function readArgs<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'wrong arguments', {
      cause: error,
    })
  }
}

/** Opens the configured database for `work`. Warnings and errors go to standard error. */
export async function withContext<T>(
  environment: Environment,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { config, secrets } = readConfig(environment)
  const output = { write: (line: string) => void process.stderr.write(line) }
  const log = await createLogger({ level: 'warn', format: config.logFormat ?? 'pretty' }, output)
  const { ctx, close } = await openContext({ config, secrets, log })
  try {
    return await work(ctx)
  } finally {
    await close()
  }
}

/** From the terminal without showing it, or the first line of standard input. */
export async function readPassword(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).split(/\r?\n/, 1)[0] ?? ''
  process.stderr.write(prompt)
  const reader = createInterface({ input: process.stdin, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve)
      // Ctrl-C and Ctrl-D close it without a line.
      reader.once('close', () => reject(new UsageError('no password was typed')))
    })
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
