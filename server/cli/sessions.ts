import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { endSessionsAfter } from '../accounts/session-list.ts'
import { revokePasswordResetsOf } from '../accounts/resets.ts'
import { endSessionsOf } from '../accounts/sessions.ts'
import { lockUser } from '../accounts/users.ts'
import { type Command, readArgs, UsageError, userNamed, withContext } from './terminal.ts'
import { commit, NO_CAUSE, type Write } from '../accounts/write.ts'

/** Asks for no confirmation, so that scripts can run it: users can log in again. */
export const endSessionsCommand: Command = {
  usage: '--all | --user <id or email>',
  summary: 'end all sessions, of every user or of one user',
  run(args, environment) {
    const { values, positionals } = readArgs(args, {
      all: { type: 'boolean', default: false },
      user: { type: 'string' },
    })
    const { all, user } = values
    if (positionals.length > 0 || all === (user !== undefined))
      throw new UsageError('give exactly one of --all and --user')
    return withContext(environment, async (ctx) => {
      const ended = await (user === undefined ? endAll(ctx) : endOf(ctx, user))
      console.log(`Ended ${ended} ${ended === 1 ? 'session' : 'sessions'}.`)
      return 0
    })
  },
}

async function endOf(ctx: Context, key: string): Promise<number> {
  const { id: userId } = await userNamed(ctx, key)
  return commit(ctx, NO_CAUSE, async ({ tx, nowMs, record }) => {
    // The lock keeps concurrent logins from opening a session.
    const user = await lockUser(tx, userId)
    if (user === undefined) throw new AppError('not_found')
    const ended = await endSessionsOf(tx, userId, { nowMs })
    await revokePasswordResetsOf(tx, user, nowMs)
    await record('sessions.ended', { subjectId: userId, changes: { ended } })
    return ended
  })
}

/**
 * Runs in batches, so that requests do not wait long for locks. If it is killed, ended sessions stay
 * ended, and another run continues.
 */
async function endAll(ctx: Context): Promise<number> {
  // Two passes: a concurrent login may have inserted its session behind the cursor of the first.
  return (await endEach(ctx)) + (await endEach(ctx))
}

async function endEach(ctx: Context): Promise<number> {
  let total = 0
  let after: string | undefined = ''
  while (after !== undefined) {
    const from: string = after
    const { ended, last } = await commit(ctx, NO_CAUSE, (write) => endSome(write, from))
    total += ended
    after = last
  }
  return total
}

async function endSome({ ctx, tx, nowMs, record }: Write, after: string) {
  const batch = await endSessionsAfter(tx, after, { limit: ctx.batchMax, nowMs })
  const { ended } = batch
  // One event per batch, in the batch's own transaction.
  if (ended > 0) await record('sessions.ended', { changes: { of: 'all', ended } })
  return batch
}
