import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { type Budget, withBudget } from '../../database/budget.ts'
import { AppError } from '../../errors.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { logFailure } from '../../http/problem.ts'
import { Time } from '../../http/schemas.ts'
import { toIso } from '../../lib/units.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { findExportedUser, findPersonalData } from '../../accounts/export.ts'
import { signedInUser } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'

/** Schemas without columns, which accounts/export.ts selects. */
const Row = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const Rows = (description: string) => Type.Array(Row, { description })

const schema = {
  operationId: 'exportMe',
  tags: ['Me'],
  summary: 'Export my data',
  description: `Returns all data stored about the caller, as a file, each list with the newest entries first. Secrets (the password hash and the ids from which links are derived) and data about other people (client addresses of admins) are omitted. The response is streamed; if it fails halfway or the session ends, the connection is closed before the end of the document.`,
  response: {
    200: Type.Object(
      {
        exported_at: Time('Time of the export.'),
        user: Type.Unsafe<Record<string, unknown>>({
          ...Row,
          description: 'The account. The password hash is not exported.',
        }),
        sign_ups: Rows('Sign-ups.'),
        sessions: Rows('Sessions with time, device and network.'),
        phone_changes: Rows('Phone numbers pending confirmation.'),
        email_changes: Rows('Changes of the address.'),
        password_resets: Rows('Links to set a new password.'),
        invitations: Rows('An invitation that is not accepted.'),
        code_failures: Rows('Wrong codes entered in the last 24 hours.'),
        messages: Rows('Emails and text messages, without their content.'),
        events: Rows(
          'The audit log. `actor` and `subject` are `me`, `another` or `nobody`; data about another user is null.',
        ),
        truncated: Type.Array(Type.String({ examples: ['events'] }), {
          description: 'Always empty: every list is complete.',
        }),
      },
      {
        title: 'DataExport',
        additionalProperties: false,
        description: 'All data stored about the caller.',
        headers: {
          'Content-Disposition': { type: 'string', description: 'Suggests a file name.' },
        },
      },
    ),
  },
}

export function exportMeRoute(app: App, ctx: Context, guards: Guards): void {
  const config = { ...guards.user.config, limits: ['own_exports'] } as const
  app.get('/me/export', { schema, ...guards.user, config }, async (request, reply) => {
    const actor = sessionOf(request)
    // Committed before the response, so that no export goes unrecorded.
    const nowMs = await commit(ctx, actor.cause, async (write) => {
      await lockSelf(write, actor)
      await write.record('data.exported', { subjectId: actor.userId })
      return write.nowMs
    })
    const user = await findExportedUser(ctx.db, { id: actor.userId })
    if (user === undefined) throw new AppError('invalid_token')
    const has_password = Boolean(user.has_password)
    const head = { exported_at: toIso(nowMs), user: { ...user, has_password } }
    reply.header('content-disposition', 'attachment; filename="coffee-shop-export.json"')
    reply.type('application/json; charset=utf-8')
    const document = Readable.from(
      writeDocument(ctx, { actor, budget: request.state.budget, head }),
    )
    // Too late for a problem document: Fastify closes the connection.
    document.on('error', (error) => logFailure(error, request))
    // The type of the body is that of the document, not of its stream.
    return reply.send(document as never)
  })
}

interface Export {
  readonly actor: SignedIn
  readonly budget: Budget
  readonly head: object
}

/** Throws in the middle when the session has ended; the stream then closes the connection. */
async function* writeDocument(
  ctx: Context,
  { actor, budget, head }: Export,
): AsyncGenerator<string> {
  const lists = findPersonalData(actor.user, (find) =>
    // A budget for each page: a slow client must not use up that of the request.
    withBudget({ ...budget, remainingMs: ctx.requestBudgetMs }, async () => {
      const session = { sessionId: actor.sessionId, now: toIso(ctx.now()) }
      if ((await ctx.lookUp(signedInUser, session)) === undefined)
        throw new AppError('invalid_token')
      return find(ctx.db)
    }),
  )
  yield JSON.stringify(head).slice(0, -1)
  for (const [name, pages] of Object.entries(lists)) {
    yield `,${JSON.stringify(name)}:[`
    let separator = ''
    for await (const page of pages) {
      yield separator + page.map((row) => JSON.stringify(row)).join(',')
      separator = ','
    }
    yield ']'
  }
  yield ',"truncated":[]}'
}
