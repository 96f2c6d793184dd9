import { cleanUpCommand } from './commands/clean-up.ts'
import { doctor } from './commands/doctor.ts'
import { rotateKeysCommand } from './commands/keys.ts'
import { migrateDatabase } from './commands/migrate.ts'
import { listMailCommand, resendMailCommand, showMailCommand } from './commands/mail.ts'
import { printOpenApi } from './commands/openapi.ts'
import { endSessionsCommand } from './commands/sessions.ts'
import { type Command, UsageError } from './commands/terminal.ts'
import {
  createUser,
  deleteUserCommand,
  disableUserCommand,
  enableUserCommand,
  listUsers,
  setRoleCommand,
  showUser,
} from './commands/users.ts'
import { AppError } from './errors.ts'

/** Every command, in one list. Passwords are asked for or read from standard input, never taken from here. */
const COMMANDS: Readonly<Record<string, Command>> = {
  migrate: migrateDatabase,
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
  'users delete': deleteUserCommand,
}

/** Runs a command and returns the exit code: 0 done, 1 refused or failed, 2 misused. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const name = Object.keys(COMMANDS).find((known) => `${args.join(' ')} `.startsWith(`${known} `))
  const command = COMMANDS[name ?? '']
  if (name === undefined || command === undefined) {
    const asked = ['help', '--help'].includes(args[0] ?? '')
    ;(asked ? console.log : console.error)(usage())
    return asked ? 0 : 2
  }
  try {
    return await command.run(args.slice(name.split(' ').length), environment)
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nusage: npm run cli -- ${name} ${command.usage}`)
      return 2
    }
    if (error instanceof AppError) {
      const details = error.fields?.map((field) => field.detail).join(' ')
      console.error(`${error.code}: ${details ?? error.message}`)
      return 1
    }
    throw error
  }
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, command]) => `  ${`${name} ${command.usage}`.padEnd(58)} ${command.summary}`,
  )
  return `usage: npm run cli -- <command>\n\n${lines.join('\n')}\n\nnpm start serves, npm run work sends mail and runs what recurs.`
}
