import { cleanUpCommand } from './clean-up.ts'
import { doctor } from './doctor.ts'
import { rotateKeysCommand } from './keys.ts'
import { migrateDatabase } from './migrate.ts'
import { listMailCommand, resendMailCommand, showMailCommand } from './mail.ts'
import { printOpenApi } from './openapi.ts'
import { partitionCommand } from './partition.ts'
import { endSessionsCommand } from './sessions.ts'
import { type Command, UsageError } from './terminal.ts'
import {
  createUser,
  deleteUserCommand,
  disableUserCommand,
  enableUserCommand,
  listUsers,
  setRoleCommand,
  showUser,
  unlockUserCommand,
} from './users.ts'
import { databaseProblem } from '../database/problems.ts'
import { AppError } from '../errors.ts'
import { program } from '../lib/program.ts'

/** Every command. Passwords come from a prompt or standard input, never from arguments. */
const COMMANDS: Readonly<Record<string, Command>> = {
  migrate: migrateDatabase,
  partition: partitionCommand,
  doctor,
  openapi: printOpenApi,
  cleanup: cleanUpCommand,
  'keys rotate': rotateKeysCommand,
  'mail list': listMailCommand,
  'mail show': showMailCommand,
  'mail resend': resendMailCommand,
  'sessions end': endSessionsCommand,
  'users create': createUser,
  'users list': listUsers,
  'users show': showUser,
  'users set-role': setRoleCommand,
  'users disable': disableUserCommand,
  'users enable': enableUserCommand,
  'users unlock': unlockUserCommand,
  'users delete': deleteUserCommand,
}

const HINTS = `npm run cli -- <command> --help describes a command. Use npm run -s cli -- <command> in pipes: it omits the
two lines that npm prints before the output.
npm run cli -- --version prints the version. npm start runs the server, npm run work runs background jobs: mail and clean-up.`

/** Runs a command and returns the exit code: 0 success, 1 refused or failed, 2 usage error. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  // A reader that closes the pipe early, such as `head`, must not abort the command halfway.
  process.stdout.on('error', ignoreClosedPipe)
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
    console.log(program())
    return 0
  }
  const wantsHelp = args[0] === 'help' || args.some((arg) => arg === '--help' || arg === '-h')
  const words = wantsHelp ? args.filter((arg) => !/^(help|--help|-h)$/.test(arg)) : args
  const name = Object.keys(COMMANDS).find((known) => `${words.join(' ')} `.startsWith(`${known} `))
  const command = COMMANDS[name ?? '']
  if (wantsHelp || name === undefined || command === undefined) {
    if (!wantsHelp && words.length > 0)
      console.error(`Unknown command: ${words.slice(0, 2).join(' ')}`)
    ;(wantsHelp ? console.log : console.error)(usage(name ?? words[0]))
    return wantsHelp ? 0 : 2
  }
  const rest = args.slice(name.split(' ').length)
  try {
    return await command.run(rest, environment)
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nusage: npm run cli -- ${name} ${command.usage}`)
      return 2
    }
    const problem = databaseProblem(error)
    if (problem !== undefined) {
      console.error(problem)
      return 1
    }
    if (error instanceof AppError) {
      const details = error.fields?.map((field) => field.detail).join(' ')
      const notFound = error.code === 'not_found' ? notFoundMessage(name, rest) : undefined
      console.error(`${error.code}: ${notFound ?? details ?? error.message}`)
      return 1
    }
    throw error
  }
}

/** Names the requested id or address; never repeats other arguments. */
function notFoundMessage(command: string, args: readonly string[]): string | undefined {
  const named = args.filter((arg) => /^[0-9]{1,16}$|^[0-9a-f-]{36}$|^[^@\s]+@[^@\s]+$/i.test(arg))
  const what = command.startsWith('mail ') ? 'message' : 'user'
  return named.length === 0 ? undefined : `There is no ${what} ${named.join(', ')}.`
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** The usage of one command, of a group such as `users`, or of all commands. */
function usage(topic = ''): string {
  const command = COMMANDS[topic]
  if (command !== undefined)
    return `usage: npm run cli -- ${topic} ${command.usage}`.trimEnd() + `\n\n${command.summary}`
  const ofGroup = Object.keys(COMMANDS).filter((name) => name.startsWith(`${topic} `))
  const names = ofGroup.length > 0 ? ofGroup : Object.keys(COMMANDS)
  const lines = names.map(
    (name) => `  ${`${name} ${COMMANDS[name]?.usage}`.padEnd(68)} ${COMMANDS[name]?.summary}`,
  )
  return `usage: npm run cli -- <command>\n\n${lines.join('\n')}\n\n${HINTS}`
}
