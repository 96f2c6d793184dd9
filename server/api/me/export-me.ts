import { Type } from 'typebox'
import { commit } from '../../outbox/write.ts'
import { EVENTS } from '../../audit/event-names.ts'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { NullableText, Time, Uuid } from '../../http/schemas.ts'
import { toIso } from '../../lib/units.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { findPersonalData, ROWS_MAX } from '../../accounts/export.ts'

const STRICT = { additionalProperties: false } as const
const NullableTime = (description: string) =>
  Type.Unsafe<string | null>({ ...Time(description), type: ['string', 'null'] })
const Ip = NullableText('The network address.', ['203.0.113.7'])
const Agent = NullableText('What the device called itself.', ['CoffeeApp/2.1'])
const Locale = NullableText('Language of mails; null: English.', ['de'])
const Typed = Type.String({ description: 'As typed.', examples: ['Ann@example.com'] })
const Canonical = Type.String({ description: 'As compared.', examples: ['ann@example.com'] })
const Word = (description: string, example: string) =>
  Type.String({ description, examples: [example] })
const Who = (description: string) =>
  Type.Enum(['me', 'another', 'nobody'], { type: 'string', description })

const User = Type.Object(
  {
    id: Type.Integer({ description: 'Never reused.', examples: [42] }),
    email: Typed,
    email_canonical: Canonical,
    full_name: NullableText('The name.', ['Ann Lee']),
    role: Type.Enum(['user', 'admin'], { type: 'string' }),
    verified_at: NullableTime('When the address was proved.'),
    disabled_at: NullableTime('Since when an admin refuses logins.'),
    password_changed_at: NullableTime('When the password was set.'),
    has_password: Type.Boolean({ description: 'Its hash is stored and not shown.' }),
    created_at: Time('When the account was made.'),
    updated_at: Time('When it was changed last.'),
    locale: Locale,
    phone: NullableText('The number, once proved.', ['+4915123456789']),
    phone_verified_at: NullableTime('When it was proved.'),
  },
  STRICT,
)
const SignUp = Type.Object(
  {
    id: Uuid('The attempt.'),
    email: Typed,
    full_name: NullableText('The name that was given.', ['Ann Lee']),
    ip: Ip,
    user_agent: Agent,
    locale: Locale,
    created_at: Time('When it came.'),
    expires_at: Time('When its code ends.'),
  },
  STRICT,
)
const Session = Type.Object(
  {
    id: Uuid('The `sid` of its access tokens.'),
    generation: Type.Integer({ description: 'How often it was refreshed.', examples: [3] }),
    rotated_at: NullableTime('The newest refresh.'),
    created_at: Time('The login.'),
    expires_at: Time('Its end, unless it is refreshed.'),
    ends_at: Time('Its end, even if it is.'),
    last_seen_at: Time('The login or the newest refresh.'),
    user_agent: Agent,
    ip: Ip,
    login_network: NullableText('The network of the login.', ['2001:db8::/64']),
    login_user_agent: Agent,
    revoked_at: NullableTime('When somebody ended it.'),
  },
  STRICT,
)
const PhoneChange = Type.Object(
  {
    phone: Word('A number that waits for its code.', '+4915123456789'),
    created_at: Time('When it was asked for.'),
    expires_at: Time('When its code ends.'),
  },
  STRICT,
)
const EmailChange = Type.Object(
  {
    email: Typed,
    email_canonical: Canonical,
    old_email: Typed,
    old_email_canonical: Canonical,
    created_at: Time('When it was asked for.'),
    expires_at: Time('When its code ends.'),
    confirmed_at: NullableTime('When the new address was proved.'),
    undo_until: NullableTime('Until when the old one can take it back.'),
    undone_at: NullableTime('When it did.'),
  },
  STRICT,
)
const PasswordReset = Type.Object(
  {
    created_at: Time('When the link was asked for.'),
    expires_at: Time('When it ends.'),
    used_at: NullableTime('When it was used.'),
  },
  STRICT,
)
const CodeFailure = Type.Object(
  {
    email_canonical: Canonical,
    purpose: Word('Which codes.', 'verify'),
    times: Type.Array(Time('A try.'), { description: 'The tries of the last 24 hours.' }),
  },
  STRICT,
)
const Message = Type.Object(
  {
    id: Uuid('Its Message-ID begins with it.'),
    kind: Word('What it is about.', 'verification'),
    channel: Type.Enum(['mail', 'sms'], { type: 'string' }),
    state: Word('How it ended, or `waiting`.', 'sent'),
    email_canonical: NullableText('For whom it was written; null for `email_code`.', [
      'ann@example.com',
    ]),
    recipient: NullableText('Where it went; null for `email_code`, see `email_changes`.', [
      'ann@example.com',
    ]),
    created_at: Time('When it was written.'),
    due_at: Time('When it may be tried next, or could be.'),
    finished_at: NullableTime('When it ended.'),
    last_error: NullableText('Why it failed.', ['550 5.1.1 no such user']),
  },
  STRICT,
)
const Event = Type.Object(
  {
    id: Type.Integer({ description: 'Grows with time.', examples: [1001] }),
    at: Time('When.'),
    event: Type.Enum(Object.keys(EVENTS), { type: 'string' }),
    actor: Who('Who did it; `nobody`: somebody not logged in, the service or an operator.'),
    subject: Who('To whom it happened.'),
    changes: Type.Unsafe<Record<string, unknown> | null>({
      type: ['object', 'null'],
      description: 'Field names, ids, role and state; null where another is the subject.',
      additionalProperties: true,
      examples: [{ before: 'user', after: 'admin' }],
    }),
    ip: NullableText('From where; null where another did it.', ['203.0.113.7']),
    request_id: NullableText('As in the log; null where another did it.', [
      '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10',
    ]),
  },
  STRICT,
)
const schema = {
  operationId: 'exportMe',
  tags: ['Me'],
  summary: 'Export my data',
  description: `Everything that is stored about the caller, as a file. Left out: what opens something (the password’s hash, ids that links are made of), and what is about others (where an admin acted from). Of each list the newest ${ROWS_MAX}.`,
  response: {
    200: Type.Object(
      {
        exported_at: Time('Now.'),
        user: User,
        sign_ups: Type.Array(SignUp),
        sessions: Type.Array(Session),
        phone_changes: Type.Array(PhoneChange),
        email_changes: Type.Array(EmailChange),
        password_resets: Type.Array(PasswordReset),
        code_failures: Type.Array(CodeFailure),
        messages: Type.Array(Message),
        events: Type.Array(Event),
        truncated: Type.Array(Word('The name of a list.', 'events'), {
          description: 'Lists of which older rows were left out.',
        }),
      },
      {
        ...STRICT,
        description: 'All that is stored about me.',
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
    // Before the answer: who reads what is stored has left a trace, or reads nothing.
    await commit(ctx, actor.cause, async (write) => {
      await lockSelf(write, actor)
      await write.record('data.exported', { subjectId: user.id })
    })
    reply.header('content-disposition', 'attachment; filename="coffee-shop-export.json"')
    const has_password = Boolean(user.has_password)
    return { exported_at: toIso(nowMs), user: { ...user, has_password }, ...lists }
  })
}
