import type { Context } from '../context.ts'
import type { PublicUserRow, Role, ShownUserRow } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { assertGoodPassword } from '../accounts/passwords.ts'
import { toUser } from '../api/schemas.ts'
import { unlockLogin } from '../api/unlock-login.ts'
import { changeUser, removeUser } from '../api/user-changes.ts'
import { type PageKey, pageKeyOf } from '../accounts/user-pages.ts'
import { findUsers } from '../accounts/user-search.ts'
import {
  type Command,
  readArgs,
  readNewPassword,
  UsageError,
  userNamed,
  withContext,
} from './terminal.ts'
import { normalFullName } from '../accounts/names.ts'
import { makeUser } from '../accounts/admins.ts'
import { ERASE, hasErasures } from '../accounts/erasures.ts'
import { commit, NO_CAUSE } from '../accounts/write.ts'
import { runJobNow } from '../schedule/schedule.ts'

const PAGE = 500

export const createUser: Command = {
  usage: '<email> [--role admin] [--name NAME]',
  summary: 'create a verified user; the password is read from the terminal or standard input',
  run(args, environment) {
    const { values, positionals } = readArgs(args, {
      role: { type: 'string', default: 'user' },
      name: { type: 'string' },
    })
    const email = one(positionals, 'an email address')
    const role = roleNamed(values.role)
    return withContext(environment, async (ctx) => {
      const emailCanonical = canonicalEmail(email)
      if (emailCanonical === undefined) throw new UsageError('the email address is invalid')
      const fullName = normalFullName(values.name ?? null)
      const password = await readNewPassword()
      await assertGoodPassword(ctx, password, { role, email: emailCanonical, fullName })
      const passwordHash = await ctx.hasher.hash(password)
      const account = { email, emailCanonical, fullName, passwordHash, role }
      const user = await commit(ctx, NO_CAUSE, (write) => makeUser(write, account))
      if (user === undefined) throw new AppError('email_taken')
      print(ctx, user)
      return 0
    })
  },
}

export const listUsers: Command = {
  usage: '[--q TEXT] [--role admin|user]',
  summary: 'list users, one JSON object per line',
  run(args, environment) {
    const options = { q: { type: 'string' }, role: { type: 'string' } } as const
    const { values, positionals } = readArgs(args, options)
    if (positionals.length > 0) throw new UsageError('this command takes options only')
    const filters = {
      q: values.q,
      role: values.role === undefined ? undefined : roleNamed(values.role),
    }
    return withContext(environment, async (ctx) => {
      let after: PageKey | undefined
      for (;;) {
        const page = await findUsers(ctx.db, filters, {
          sort: 'id',
          limit: PAGE,
          skip: 0,
          walkMax: Infinity,
          after,
        })
        for (const user of page) print(ctx, user)
        const last = page.at(-1)
        if (last === undefined || page.length < PAGE) return 0
        after = pageKeyOf(last, 'id')
      }
    })
  },
}

export const showUser: Command = {
  usage: '<id or email>',
  summary: 'print a user',
  run: (args, environment) => withUser(args, environment, async (ctx, user) => print(ctx, user)),
}

export const setRoleCommand: Command = {
  usage: '<id or email> admin|user',
  summary: 'change a user’s role',
  run(args, environment) {
    const role = roleNamed(args[1])
    return withUser(args.slice(0, 1), environment, async (ctx, user) =>
      print(ctx, await changeUser(ctx, user.id, { role })),
    )
  },
}

export const disableUserCommand: Command = {
  usage: '<id or email>',
  summary: 'disable a user: end all sessions and reject logins',
  run: (args, environment) =>
    withUser(args, environment, async (ctx, user) =>
      print(ctx, await changeUser(ctx, user.id, { disabled: true })),
    ),
}

export const enableUserCommand: Command = {
  usage: '<id or email>',
  summary: 'enable a disabled user',
  run: (args, environment) =>
    withUser(args, environment, async (ctx, user) =>
      print(ctx, await changeUser(ctx, user.id, { disabled: false })),
    ),
}

export const unlockUserCommand: Command = {
  usage: '<id or email>',
  summary: 'lift the lock of logins after wrong passwords (login_locked)',
  run: (args, environment) =>
    withUser(args, environment, async (ctx, user) => {
      await unlockLogin(ctx, user.id)
      console.log(`Unlocked user ${user.id}.`)
    }),
}

export const deleteUserCommand: Command = {
  usage: '<id or email>',
  summary: 'delete a user and all personal data stored about them',
  run: (args, environment) =>
    withUser(args, environment, async (ctx, user) => {
      await removeUser(ctx, user.id)
      // There may be no worker; one that is already at it finishes this user, too.
      if (await hasErasures(ctx.db)) await runJobNow(ctx, ERASE)
      console.log(`Deleted user ${user.id}.`)
    }),
}

function withUser(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  work: (ctx: Context, user: PublicUserRow) => Promise<void>,
): Promise<number> {
  const key = one(readArgs(args, {}).positionals, 'the user’s id or email')
  return withContext(environment, async (ctx) => {
    await work(ctx, await userNamed(ctx, key))
    return 0
  })
}

function print(ctx: Context, user: ShownUserRow): void {
  console.log(JSON.stringify(toUser(ctx, user)))
}

function one(positionals: readonly string[], what: string): string {
  const [first] = positionals
  if (first === undefined || positionals.length > 1)
    throw new UsageError(`give exactly one argument: ${what}`)
  return first
}

function roleNamed(name: string | undefined): Role {
  if (name !== 'user' && name !== 'admin') throw new UsageError('the role must be user or admin')
  return name
}
