import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  findMail,
  findMails,
  MAIL_STATES,
  type MailFilters,
  type MailKey,
  mailKeyOf,
  type MailRow,
} from '../outbox/mails.ts'
import { type Command, type Environment, readArgs, UsageError, withContext } from './terminal.ts'
import { KINDS } from '../messages/kinds.ts'
import { resendMail } from '../api/mail/mail.ts'

const PAGE = 500
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const listMailCommand: Command = {
  usage: '[--state waiting|sent|dropped|bounced|dead] [--kind KIND]',
  summary:
    'list messages and their delivery state, newest first, one JSON object per line; an unknown KIND prints the list of kinds',
  run(args, environment) {
    const options = { state: { type: 'string' }, kind: { type: 'string' } } as const
    const { values, positionals } = readArgs(args, options)
    if (positionals.length > 0) throw new UsageError('this command takes no arguments')
    const state = MAIL_STATES.find((known) => known === values.state)
    if (values.state !== undefined && state === undefined)
      throw new UsageError(`the state must be one of ${MAIL_STATES.join(', ')}`)
    const filters = { state, kind: kindNamed(values.kind) }
    return withContext(environment, async (ctx) => {
      for await (const mail of mailsOf(ctx, filters)) print(mail)
      return 0
    })
  },
}

export const showMailCommand: Command = {
  usage: '<id>',
  summary: 'print the recipient, the delivery state and the last error of a message',
  run: (args, environment) =>
    withId(args, environment, async (ctx, id) => {
      const mail = await findMail(ctx.db, id)
      if (mail === undefined) throw new AppError('not_found')
      return mail
    }),
}

export const resendMailCommand: Command = {
  usage: '<id> | --state dead|bounced [--kind KIND] [--yes]',
  summary:
    'queue one dead or bounced message for redelivery, or all in a state; bounced ones need --yes',
  run(args, environment) {
    const { values, positionals } = readArgs(args, {
      state: { type: 'string' },
      kind: { type: 'string' },
      yes: { type: 'boolean', default: false },
    })
    const { state, kind, yes } = values
    if (state === undefined && kind === undefined && !yes)
      return withId(positionals, environment, (ctx, id) => resendMail(ctx, id))
    if (positionals.length > 0) throw new UsageError('give either an id or a state')
    if (state !== 'dead' && state !== 'bounced')
      throw new UsageError('the state must be dead or bounced')
    if (state === 'bounced' && !yes)
      throw new UsageError(
        'these addresses rejected mail, and sending to all of them again harms the reputation of your sender: add --yes if you know why they would accept it now',
      )
    const filters: MailFilters = { state, kind: kindNamed(kind) }
    return withContext(environment, (ctx) => resendAll(ctx, filters))
  },
}

/** One transaction per message, so that a worker can start with the first one immediately. */
async function resendAll(ctx: Context, filters: MailFilters): Promise<number> {
  let resent = 0
  for await (const { id } of mailsOf(ctx, filters)) {
    try {
      print(await resendMail(ctx, id))
      resent++
    } catch (error) {
      // Resent by another caller, or deleted with its user.
      if (!(error instanceof AppError)) throw error
    }
  }
  console.error(`Queued ${resent} ${resent === 1 ? 'message' : 'messages'} for redelivery.`)
  return 0
}

async function* mailsOf(ctx: Context, filters: MailFilters): AsyncGenerator<MailRow> {
  let after: MailKey | undefined
  for (;;) {
    const page = await findMails(ctx.db, filters, { limit: PAGE, after })
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    after = mailKeyOf(last)
  }
}

function withId(
  args: readonly string[],
  environment: Environment,
  work: (ctx: Context, id: string) => Promise<MailRow>,
): Promise<number> {
  const { positionals } = readArgs(args, {})
  const [id = ''] = positionals
  if (positionals.length !== 1 || !UUID.test(id))
    throw new UsageError('give exactly one argument: the id of a message, as printed by mail list')
  return withContext(environment, async (ctx) => {
    print(await work(ctx, id))
    return 0
  })
}

function kindNamed(name: string | undefined): string | undefined {
  if (name !== undefined && !Object.hasOwn(KINDS, name))
    throw new UsageError(`the kind must be one of ${Object.keys(KINDS).join(', ')}`)
  return name
}

function print(mail: MailRow): void {
  console.log(JSON.stringify(mail))
}
