import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  findMail,
  findMails,
  MAIL_STATES,
  type MailKey,
  mailKeyOf,
  type MailRow,
  resendMail,
} from '../outbox/mails.ts'
import { type Command, type Environment, readArgs, UsageError, withContext } from './terminal.ts'

const PAGE = 500
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const listMailCommand: Command = {
  usage: '[--state STATE] [--kind KIND]',
  summary: 'messages sent, waiting, dead …, the newest first, one JSON object per line',
  run(args, environment) {
    const options = { state: { type: 'string' }, kind: { type: 'string' } } as const
    const { values, positionals } = readArgs(args, options)
    if (positionals.length > 0) throw new UsageError('no argument is needed')
    const state = MAIL_STATES.find((known) => known === values.state)
    if (values.state !== undefined && state === undefined)
      throw new UsageError(`a state is one of ${MAIL_STATES.join(', ')}`)
    return withContext(environment, async (ctx) => {
      let after: MailKey | undefined
      for (;;) {
        const filters = { state, kind: values.kind }
        const page = await findMails(ctx.db, filters, { limit: PAGE, after })
        for (const mail of page) print(mail)
        const last = page.at(-1)
        if (last === undefined || page.length < PAGE) return 0
        after = mailKeyOf(last)
      }
    })
  },
}

export const showMailCommand: Command = {
  usage: '<id>',
  summary: 'print where a message went and why it failed',
  run: (args, environment) =>
    withId(args, environment, async (ctx, id) => {
      const mail = await findMail(ctx.db, id)
      if (mail === undefined) throw new AppError('not_found')
      return mail
    }),
}

export const resendMailCommand: Command = {
  usage: '<id>',
  summary: 'let a message that is dead or bounced wait again, due now',
  run: (args, environment) => withId(args, environment, (ctx, id) => resendMail(ctx, id)),
}

function withId(
  args: readonly string[],
  environment: Environment,
  work: (ctx: Context, id: string) => Promise<MailRow>,
): Promise<number> {
  const { positionals } = readArgs(args, {})
  const [id = ''] = positionals
  if (positionals.length !== 1 || !UUID.test(id))
    throw new UsageError('exactly one argument is needed: the message’s id')
  return withContext(environment, async (ctx) => {
    print(await work(ctx, id))
    return 0
  })
}

function print(mail: MailRow): void {
  console.log(JSON.stringify(mail))
}
