import { Type } from 'typebox'
import {
  examineClock,
  examineSchema,
  examineSettings,
  EXAMINATIONS,
  type Finding,
} from '../../accounts/findings.ts'
import type { Context } from '../../context.ts'
import { compareSchema } from '../../database/migrate.ts'
import { SchemaError } from '../../database/problems.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { NullableText } from '../../http/schemas.ts'
import { ownKeysOf } from '../../keys/keys-in-use.ts'
import type { Guards } from '../guards.ts'

const Setting = Type.Object(
  {
    name: Type.String({ examples: ['SHOP_NAME'] }),
    value: NullableText('The value in force. Null if there is none, or it is hidden.', [
      'Coffee Shop',
    ]),
    is_set: Type.Boolean({ description: 'Whether it is set; otherwise the default is in force.' }),
    is_hidden: Type.Boolean({
      description: 'Whether the value is never shown: secrets, and what may contain one.',
    }),
    default: NullableText('The default, in Markdown. Null if there is none.', ['Coffee Shop']),
    unit: NullableText('The unit of the value.', ['minutes']),
    description: Type.String({
      description: 'What the setting does, in Markdown.',
      examples: ['The name of the shop in mail.'],
    }),
  },
  { title: 'Setting', additionalProperties: false },
)

const FindingSchema = Type.Object(
  {
    severity: Type.Enum(['ok', 'warning', 'error'], { type: 'string' }),
    detail: Type.String({
      description: 'What was found and, unless it is `ok`, what to do.',
      examples: ['migrations'],
    }),
  },
  { title: 'Finding', additionalProperties: false },
)

const schema = {
  operationId: 'showSettings',
  tags: ['System'],
  summary: 'Show settings and findings',
  description:
    'Shows the settings of the process that answers, and what `npm run cli -- doctor` finds there without opening connections or files. Of secrets, and of everything that may contain one, it says only whether they are set.',
  response: {
    200: Type.Object(
      { settings: Type.Array(Setting), findings: Type.Array(FindingSchema) },
      { description: 'Every setting, and the findings.' },
    ),
  },
}

export function showSettingsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/settings', { schema, ...guards.admin }, async () => ({
    settings: ctx.config.settings.map(({ isSet, isHidden, ...setting }) => ({
      ...setting,
      is_set: isSet,
      is_hidden: isHidden,
    })),
    findings: await examine(ctx),
  }))
}

/** Within the time that the request may spend on the database: what fails is a finding. */
async function examine(ctx: Context): Promise<Finding[]> {
  const { config, db, dialect, keys, tokenKeys, signingKeys } = ctx
  const nowMs = ctx.now()
  const findings = [
    ...examineSettings(config, { keys, tokenKeys, signingKeyFile: signingKeys }),
    ...examineRedis(ctx),
  ]
  const examined = { db, dialect, ownKeys: ownKeysOf(ctx, { serves: true }), nowMs }
  const steps: readonly (() => Promise<readonly Finding[]>)[] = [
    async () => [examineClock(await ctx.checkDatabase(), nowMs)],
    async () => examineSchema(await compareSchema(db)),
    ...EXAMINATIONS.map((step) => () => step(examined)),
  ]
  for (const step of steps)
    findings.push(...(await step().catch((error: unknown) => failedStep(ctx, error))))
  return findings
}

function examineRedis({ limits }: Context): readonly Finding[] {
  const store = limits.store()
  if (store === 'memory') return []
  if (store === 'redis') return [{ severity: 'ok', detail: 'Redis' }]
  const detail =
    'REDIS_URL names a server that cannot be used: each process counts rate limits on its own. The log has the reason, as has npm run cli -- doctor'
  return [{ severity: 'error', detail }]
}

/** Others are looked at nevertheless. */
function failedStep({ log }: Context, error: unknown): readonly Finding[] {
  if (error instanceof SchemaError) return [{ severity: 'error', detail: error.message }]
  const isLate = error instanceof AppError && error.code === 'database_unavailable'
  if (!isLate) log.error({ err: error }, 'the service could not be examined')
  const detail = isLate
    ? 'the database did not answer in time, so that not everything was looked at; npm run cli -- doctor waits longer'
    : 'not everything could be looked at; the log has the reason'
  return [{ severity: 'error', detail }]
}
