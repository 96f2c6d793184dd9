import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { endSessionsAfter } from '../accounts/session-list.ts'
import { endSessionsOf } from '../accounts/sessions.ts'
import { lockUser } from '../accounts/users.ts'
import { type Command, readArgs, UsageError, userNamed, withContext } from './terminal.ts'
import { commit, NO_CAUSE, type Write } from '../accounts/write.ts'

/** Without a question, so that a script can do it: what it ends, people can open again by logging in. */
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
    // Under the lock no login can slip a session in between.
    if ((await lockUser(tx, userId)) === undefined) throw new AppError('not_found')
    const ended = await endSessionsOf(tx, userId, { nowMs })
    await record('sessions.ended', { subjectId: userId, changes: { ended } })
    return ended
  })
}

/**
 * Batch by batch, so that no request waits for long: killed in between, what was ended stays ended, and
 * another run does the rest.
 */
async function endAll(ctx: Context): Promise<number> {
  // Once more: a login that was under way may have put its session before where the first pass was.
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
  // An event for each batch: each is true by itself, whatever becomes of the next.
  if (ended > 0) await record('sessions.ended', { changes: { of: 'all', ended } })
  return batch
}
