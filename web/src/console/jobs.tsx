import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Card, Heading } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { CleanUp } from './clean-up.tsx'
import { FRESH } from './fresh.ts'
import { type Job, JOBS, runsOf } from './job-words.ts'
import { Loaded } from './loaded.tsx'
import { readSchedule } from './schedule.ts'
import { Terms } from './terms.tsx'
import { C } from './texts.ts'

const FOLLOW_MS = 1000

export function JobsPage() {
  const jobs = useQuery({
    ...FRESH,
    queryKey: JOBS,
    queryFn: async ({ signal }) => dataOf(await shop.GET('/jobs', { signal })),
    // What a worker is about to do is seen when it is done.
    refetchInterval: ({ state: { data } }) =>
      data?.some(({ state }) => state !== 'idle') === true && FOLLOW_MS,
  })
  return (
    <>
      <Card>
        <Heading>{C.pages['/console/jobs']}</Heading>
        <Text>{C.jobs.intro}</Text>
        <Loaded query={jobs}>{() => null}</Loaded>
      </Card>
      {jobs.data?.map((job) => (
        <JobCard key={job.name} job={job} />
      ))}
    </>
  )
}

function JobCard({ job }: { job: Job }) {
  const { name, schedule, state } = job
  // A newer server may have more jobs.
  const words: { title: string; does: string } | undefined = C.jobs.names[name]
  return (
    <Card title={words?.title ?? name}>
      {words !== undefined && <Text>{words.does}</Text>}
      <Terms
        terms={[
          [C.terms.state, C.jobs.states[state]],
          [C.terms.schedule, <ScheduleWords key="" cron={schedule} />],
          ...runsOf(job),
        ]}
      />
      {name === 'clean-up' && <CleanUp job={job} />}
    </Card>
  )
}

function ScheduleWords({ cron }: { cron: string }) {
  const schedule = readSchedule(cron)
  const { schedules } = C.jobs
  switch (schedule.every) {
    case 'seconds':
      return schedules.seconds
    case 'hours':
      return schedules.hours(schedule.minute)
    case 'days':
      return schedules.days(schedule.time)
    case 'other':
      return (
        <>
          {schedules.other} <code>{cron}</code>, UTC
        </>
      )
  }
}
