import { Type } from 'typebox'
import { countDays, DAYS, startOf } from '../../accounts/daily-counts.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { countFirstExpired } from '../../accounts/expired-users.ts'
import { estimateUsers, type UserCount } from '../../accounts/user-counts.ts'
import type { Context } from '../../context.ts'
import type { OutboxState } from '../../database/schema.ts'
import type { App } from '../../http/fastify.ts'
import { Time } from '../../http/schemas.ts'
import { DAY_MS, toIso } from '../../lib/units.ts'
import { countMailsIn, MAIL_STATES } from '../../outbox/mails.ts'
import { CLEAN_UP } from '../../schedule/jobs.ts'
import { COUNTED_MAX, Figure, figureUpToMax } from '../figures.ts'
import type { Guards } from '../guards.ts'
import { findAllJobs, Job, jobNamed } from '../jobs/job.ts'

const figure = (description: string) => ({ ...Figure, description })

const Day = Type.Object(
  {
    day: Type.String({
      format: 'date',
      description: 'The day in UTC.',
      examples: ['2026-11-22'],
    }),
    sign_ups: figure('Accepted sign-ups, also repeated ones of an address.'),
    logins: figure('Logins.'),
    refused_logins: figure('Refused logins, once per address, reason and hour.'),
  },
  { additionalProperties: false },
)

const Stats = Type.Object(
  {
    users: Type.Object(
      {
        verified: figure('Verified users; estimated if there are more than 10 000.'),
        unverified: figure('Unverified users; estimated if there are more than 10 000.'),
        ending_today: figure(
          'Unverified users whose time ends before the end of the day in UTC, with those who have expired and wait for the clean-up.',
        ),
      },
      { additionalProperties: false },
    ),
    mail: Type.Object(
      {
        waiting: Figure,
        sent: Figure,
        dropped: Figure,
        bounced: Figure,
        dead: Figure,
      } satisfies Record<OutboxState, typeof Figure>,
      {
        additionalProperties: false,
        description:
          'The emails and text messages of the last 30 days by state, as in `GET /mail`.',
      },
    ),
    days: Type.Array(Day, {
      description: `The last ${DAYS} days, oldest first and the current one last.`,
    }),
    kept_until: Type.Optional(
      Time(
        'The end of the last hour whose events were counted and kept. Absent before the first run of the job `tally`.',
        '2026-11-22T17:00:00.000Z',
      ),
    ),
    clean_up: Job,
  },
  { title: 'Stats', additionalProperties: false, description: 'Figures of the service.' },
)

const schema = {
  operationId: 'showStats',
  tags: ['System'],
  summary: 'Show figures of the service',
  description:
    'Takes the same time whatever the number of users and events: each figure says whether it was counted, kept or estimated. The job `tally` counts the events of each day once an hour; those since then are counted for the response.',
  response: { 200: Stats },
}

export function showStatsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/stats', { schema, ...guards.admin }, async () => {
    const { days, keptUntilMs } = await countDays(ctx, COUNTED_MAX)
    return {
      users: await countUsers(ctx),
      mail: await countMails(ctx),
      days,
      ...(keptUntilMs !== undefined && { kept_until: toIso(keptUntilMs) }),
      clean_up: jobNamed(await findAllJobs(ctx), CLEAN_UP),
    }
  })
}

async function countUsers(ctx: Context) {
  const { db } = ctx
  const midnightMs = startOf(DAY_MS, ctx.now()) + DAY_MS
  const cutoff = expiryCutoff(ctx, midnightMs - 1)
  return {
    verified: toFigure(await estimateUsers(db, { isVerified: true })),
    unverified: toFigure(await estimateUsers(db, { isVerified: false })),
    ending_today: figureUpToMax(await countFirstExpired(db, cutoff, COUNTED_MAX + 1)),
  }
}

function toFigure({ total, isEstimated }: UserCount): Figure {
  return { count: total, accuracy: isEstimated ? 'estimated' : 'exact' }
}

async function countMails({ db }: Context): Promise<Record<OutboxState, Figure>> {
  const mails = {} as Record<OutboxState, Figure>
  for (const state of MAIL_STATES)
    mails[state] = figureUpToMax(await countMailsIn(db, state, COUNTED_MAX + 1))
  return mails
}
