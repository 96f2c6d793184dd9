import type { Context } from '../context.ts'
import { CLEAN_UP } from '../schedule/jobs.ts'
import { runJobNow } from '../schedule/schedule.ts'
import { cleanUp } from '../accounts/clean-up.ts'
import { countExpiredUsers, findExpiredUsers } from '../accounts/expired-users.ts'
import { expiryCutoff } from '../accounts/expiry.ts'
import { type Command, readArgs, UsageError, withContext } from './terminal.ts'

const PAGE = 1000

export const cleanUpCommand: Command = {
  usage: '[--dry-run] [--force]',
  summary:
    'delete expired unverified users; --dry-run only lists their ids, --force deletes even if that is most users and the clock is in doubt',
  run(args, environment) {
    const { values, positionals } = readArgs(args, {
      'dry-run': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    })
    if (positionals.length > 0) throw new UsageError('this command takes no arguments')
    return withContext(environment, (ctx) =>
      values['dry-run'] ? list(ctx) : cleanUpNow(ctx, values.force),
    )
  },
}

/** Prints the count to standard error, because standard output holds one id per line. */
async function list(ctx: Context): Promise<number> {
  const cutoff = expiryCutoff(ctx)
  console.error(`${users(await countExpiredUsers(ctx.db, cutoff))} would be deleted.`)
  let page = await findExpiredUsers(ctx.db, { cutoff, limit: PAGE })
  for (;;) {
    for (const { id } of page) console.log(id)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return 0
    page = await findExpiredUsers(ctx.db, { cutoff, limit: PAGE, after: last })
  }
}

async function cleanUpNow(ctx: Context, force: boolean): Promise<number> {
  const totals = await runJobNow(ctx, {
    name: CLEAN_UP,
    run: (_, run) => cleanUp(ctx, run, { force }),
  })
  if (totals === undefined) {
    console.error('Another clean-up is already running; try again when it has finished.')
    return 1
  }
  if (totals['refused'] !== undefined) {
    console.error(
      `Refused: ${totals['expired']} of ${totals['users']} users would be deleted, and the clock may be wrong. Check it; if it is right, add --force.`,
    )
    return 1
  }
  console.log(`Deleted ${users(totals['deleted'] ?? 0)}.`)
  return 0
}

function users(count: number): string {
  return `${count} ${count === 1 ? 'user' : 'users'}`
}
