import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { readConfig } from '../settings/config.ts'
import type { Context } from '../context.ts'
import type { PublicUserRow } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { createLogger } from '../lib/log.ts'
import { openContext } from '../open.ts'
import { userById, userForLogin } from '../accounts/users.ts'

const USER_ID = /^[1-9][0-9]{0,14}$/

export type Environment = Readonly<Record<string, string | undefined>>

export interface Command {
  readonly usage: string
  readonly summary: string
  run(args: readonly string[], environment: Environment): Promise<number>
}

/** Invalid arguments; the command prints its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Node's `parseArgs`; its errors become UsageErrors. */
export function readArgs<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'invalid arguments', {
      cause: error,
    })
  }
}

export function assertNoArguments(args: readonly string[]): void {
  if (readArgs(args, {}).positionals.length > 0)
    throw new UsageError('this command takes no arguments')
}

/** Opens the configured database for `work`. Warnings and errors go to standard error. */
export async function withContext<T>(
  environment: Environment,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { config, secrets } = readConfig(environment)
  const output = { write: (line: string) => void process.stderr.write(line) }
  const log = await createLogger({ level: 'warn', format: config.logFormat ?? 'pretty' }, output)
  const { ctx, close, file } = await openContext({ config, secrets, log })
  // A relative path, in the wrong folder.
  if (file?.created === true) log.warn({ file: file.path }, 'SQLite file created')
  try {
    return await work(ctx)
  } finally {
    await close()
  }
}

/** Finds a user by id or by address in any spelling. Throws `not_found`. */
export async function userNamed(ctx: Context, key: string): Promise<PublicUserRow> {
  const user = USER_ID.test(key)
    ? await ctx.lookUp(userById, Number(key))
    : await ctx.lookUp(userForLogin, canonicalEmail(key) ?? '')
  if (user === undefined) throw new AppError('not_found')
  return user
}

/** Prompts twice without echo on a terminal; otherwise reads the first line of standard input. */
export async function readNewPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).split(/\r?\n/, 1)[0] ?? ''
  const password = await readHidden('Password: ')
  if ((await readHidden('Repeat password: ')) !== password)
    throw new UsageError('the passwords do not match')
  return password
}

async function readHidden(prompt: string): Promise<string> {
  process.stderr.write(prompt)
  const reader = createInterface({ input: process.stdin, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve)
      // Ctrl-C and Ctrl-D close the reader without a line.
      reader.once('close', () => reject(new UsageError('no password was entered')))
    })
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
