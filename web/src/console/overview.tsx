import { Anchor, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { components } from '../../../client/index.ts'
import { Card, Heading, PageLink } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { dayOf, timeOf } from '../setup.ts'
import { type Figure, figureOf } from './figures.ts'
import { FRESH } from './fresh.ts'
import { type Job, runsOf } from './job-words.ts'
import { Loaded } from './loaded.tsx'
import { stateOf } from './messages.tsx'
import { Plot } from './plot.tsx'
import { Terms } from './terms.tsx'
import { C } from './texts.ts'

type Stats = components['schemas']['Stats']

const SERIES = ['sign_ups', 'logins', 'refused_logins'] as const
const MAIL_STATES = ['waiting', 'sent', 'dropped', 'bounced', 'dead'] as const
/** Wide enough for the table beside the plot. */
const WIDE = '(min-width: 62em)'

export function OverviewPage() {
  const stats = useQuery({
    ...FRESH,
    queryKey: ['stats'],
    queryFn: async ({ signal }) => dataOf(await shop.GET('/stats', { signal })),
  })
  return (
    <>
      <Card>
        <Heading>{C.pages['/console']}</Heading>
        <Loaded query={stats}>{({ users }) => <Users users={users} />}</Loaded>
      </Card>
      {stats.data !== undefined && (
        <>
          <Days stats={stats.data} />
          <div className="overview-parts">
            <Mail mail={stats.data.mail} />
            <CleanUp job={stats.data.clean_up} />
          </div>
        </>
      )}
    </>
  )
}

function Users({ users: { verified, unverified, ending_today } }: { users: Stats['users'] }) {
  const to = '/console/users?is_verified='
  return (
    <>
      <Terms
        as="tiles"
        terms={[
          [C.overview.verified, <Count key="" figure={verified} to={`${to}true`} />],
          [C.overview.unverified, <Count key="" figure={unverified} to={`${to}false`} />],
          [
            C.overview.endingToday,
            <Count key="" figure={ending_today} to={`${to}false&sort=created_at`} />,
          ],
        ]}
      />
      <Text c="dimmed" fz="sm">
        {C.overview.endingTodayHint}
      </Text>
    </>
  )
}

/** Leads to what was counted. */
function Count({ figure, to }: { figure: Figure; to: string }) {
  return (
    <Link to={to} asChild>
      <Anchor inherit underline="hover">
        {figureOf(figure)}
      </Anchor>
    </Link>
  )
}

function Days({ stats: { days, kept_until: until } }: { stats: Stats }) {
  const figures = days.flatMap((day) => SERIES.map((name) => day[name]))
  return (
    <Card title={C.overview.days}>
      {figures.every(({ count }) => count === 0) ? (
        <Text>{C.overview.noDays}</Text>
      ) : (
        <div className="days">
          <Plot
            label={C.overview.plot}
            days={days.map(({ day }) => dayOf(day))}
            series={SERIES.map((name) => ({
              name: C.overview.series[name],
              points: days.map((day) => ({
                count: day[name].count,
                isLeast: day[name].accuracy === 'at_least',
              })),
            }))}
          />
          <details open={matchMedia(WIDE).matches}>
            <summary>{C.overview.table}</summary>
            <DaysTable days={days} />
          </details>
        </div>
      )}
      <Text c="dimmed" fz="sm">
        {until === undefined ? C.overview.notCounted : C.overview.counted(timeOf(until))}{' '}
        {C.overview.refusedHint}
        {figures.some(({ accuracy }) => accuracy === 'at_least') && ` ${C.overview.hollow}`}
      </Text>
    </Card>
  )
}

/** A table on a phone, too: its rows would be too many blocks. */
function DaysTable({ days }: { days: Stats['days'] }) {
  return (
    <Table className="days-table" aria-label={C.overview.days}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{C.overview.day}</Table.Th>
          {SERIES.map((name) => (
            <Table.Th key={name} scope="col">
              {C.overview.series[name]}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {days.toReversed().map((day) => (
          <Table.Tr key={day.day}>
            <Table.Th scope="row">{dayOf(day.day)}</Table.Th>
            {SERIES.map((name) => (
              <Table.Td key={name}>{figureOf(day[name])}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Mail({ mail }: { mail: Stats['mail'] }) {
  return (
    <Card title={C.mail.recent}>
      <Terms
        terms={MAIL_STATES.map((state) => [
          stateOf({ state }),
          <Count key="" figure={mail[state]} to={`/console/mail?state=${state}`} />,
        ])}
      />
    </Card>
  )
}

function CleanUp({ job }: { job: Job }) {
  return (
    <Card title={C.jobs.names['clean-up'].title}>
      <Terms terms={runsOf(job)} />
      <PageLink to="/console/jobs">{C.overview.toJobs}</PageLink>
    </Card>
  )
}
