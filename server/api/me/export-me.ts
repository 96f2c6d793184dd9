import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { Time } from '../../http/schemas.ts'
import { toIso } from '../../lib/units.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { findPersonalData, ROWS_MAX } from '../../accounts/export.ts'
import { commit } from '../../accounts/write.ts'

/** Schemas without columns, which accounts/export.ts selects. */
const Row = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const Rows = (description: string) => Type.Array(Row, { description })

const schema = {
  operationId: 'exportMe',
  tags: ['Me'],
  summary: 'Export my data',
  description: `Returns all data stored about the caller, as a file. Secrets (the password hash and the ids from which links are derived) and data about other people (client addresses of admins) are omitted. Each list contains the newest ${ROWS_MAX} entries.`,
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
        code_failures: Rows('Wrong codes entered in the last 24 hours.'),
        messages: Rows('Emails and text messages, without their content.'),
        events: Rows(
          'The audit log. `actor` and `subject` are `me`, `another` or `nobody`; data about another user is null.',
        ),
        truncated: Type.Array(Type.String({ examples: ['events'] }), {
          description: 'Names of lists from which older entries were omitted.',
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
    const { user, ...lists } = await findPersonalData(ctx.db, actor.user)
    if (user === undefined) throw new AppError('invalid_token')
    const nowMs = ctx.now()
    // Committed before the response, so that no export goes unrecorded.
    await commit(ctx, actor.cause, async (write) => {
      await lockSelf(write, actor)
      await write.record('data.exported', { subjectId: user.id })
    })
    reply.header('content-disposition', 'attachment; filename="coffee-shop-export.json"')
    const has_password = Boolean(user.has_password)
    return { exported_at: toIso(nowMs), user: { ...user, has_password }, ...lists }
  })
}
