import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { paths } from '../../../client/index.ts'
import { Confirm } from '../dialog.tsx'
import { Problem } from '../page.tsx'
import { withProof } from '../proof.tsx'
import { dataOf, queries, shop } from '../session.ts'
import { type Figure, figureOf } from './figures.ts'
import { failureOf, type Job, JOBS, lastRunOf } from './job-words.ts'
import { C } from './texts.ts'

const W = C.jobs.cleanUp

/** Shows what a run would delete before one can be requested, and how the requested one goes. */
export function CleanUp({ job }: { job: Job }) {
  const [isAsking, setAsking] = useState(false)
  /** What the job was like before this page requested a run. */
  const [before, setBefore] = useState<Job>()
  const check = useMutation({
    mutationFn: async () => dataOf(await shop.POST('/jobs/clean-up/dry-run')),
  })
  const button = useRef<HTMLButtonElement>(null)
  // What opened the dialog is gone.
  useEffect(() => {
    if (before !== undefined) button.current?.focus()
  }, [before])

  const { data: preview } = check
  const force = preview?.verdict === 'refuse'
  const run = async () => {
    const requested = await withProof(() => shop.POST('/jobs/clean-up/run', { body: { force } }))
    queries.setQueryData<Job[]>(JOBS, (jobs) =>
      jobs?.map((one) => (one.name === requested.name ? requested : one)),
    )
  }
  return (
    <Stack gap="md" align="flex-start">
      <Button
        ref={button}
        variant="default"
        loading={check.isPending}
        onClick={() => {
          setBefore(undefined)
          check.mutate()
        }}
      >
        {W.check}
      </Button>
      {check.error !== null && <Problem error={check.error} />}
      <div role="status">
        {preview !== undefined && <Preview preview={preview} ask={() => setAsking(true)} />}
        {before !== undefined && <Text>{progressOf(job, before)}</Text>}
      </div>
      {isAsking && preview !== undefined && (
        <Confirm
          title={force ? W.forceTitle : W.title}
          text={(force ? W.forceText : W.text)(accountsOf(preview.expired))}
          submit={force ? W.forceSubmit : W.submit}
          isDangerous
          close={() => setAsking(false)}
          run={run}
          done={() => {
            setBefore(job)
            check.reset()
          }}
        >
          {() =>
            force && (
              <label>
                <input type="checkbox" required /> {W.forceCheck}
              </label>
            )
          }
        </Confirm>
      )}
    </Stack>
  )
}

type Preview =
  paths['/api/v1/jobs/clean-up/dry-run']['post']['responses']['200']['content']['application/json']

function Preview({
  preview: { expired, verdict, because },
  ask,
}: {
  preview: Preview
  ask: () => void
}) {
  if (expired.count === 0) return <Text>{W.none}</Text>
  const accounts = accountsOf(expired)
  const isRefused = verdict === 'refuse'
  return (
    <Alert role="group" variant="light" {...(isRefused && { color: 'red' })}>
      <Stack gap="md">
        <Text>{isRefused ? W.refuse(accounts) : W.some(accounts)}</Text>
        {because !== undefined && <Text>{W.because[because]}</Text>}
        <Group gap="md">
          <Button variant="default" onClick={ask}>
            {isRefused ? W.force : W.run}
          </Button>
          <Link to="/console/users?is_verified=false&sort=created_at" asChild>
            <Anchor>{W.list}</Anchor>
          </Link>
        </Group>
      </Stack>
    </Alert>
  )
}

function accountsOf(expired: Figure): string {
  return expired.count === 1 ? W.account : W.accounts(figureOf(expired))
}

function progressOf(job: Job, before: Job): string {
  if (job.state === 'requested') return W.requested
  if (job.state === 'running') return W.running
  if (job.last_run?.at !== before.last_run?.at) return W.finished(lastRunOf(job))
  return job.last_failure === undefined ? W.lapsed : failureOf(job.last_failure)
}
