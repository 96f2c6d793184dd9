import { Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Card, Problem, TryButton } from '../page.tsx'
import { shop } from '../session.ts'
import { A } from './texts.ts'
import { Status } from './status.tsx'

/** Safari reads the file only after the click, when it has asked where to put it. */
const KEEP_MS = 60_000

export function MyData() {
  const download = useMutation({
    mutationFn: async () => {
      const { sessionId } = shop
      const { data, error, response } = await shop.GET('/me/export')
      if (error !== undefined) throw error
      if (shop.sessionId !== sessionId) return ''
      const disposition = response.headers.get('content-disposition') ?? ''
      const name = /filename="([^"]+)"/.exec(disposition)?.[1] ?? 'export.json'
      save(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }), name)
      return name
    },
  })
  return (
    <Card title={A.data.title}>
      <Text>{A.data.text}</Text>
      {download.error !== null && <Problem error={download.error} />}
      <Status>{download.isSuccess ? A.data.done(download.data) : ''}</Status>
      <Group>
        <TryButton
          error={download.error}
          variant="default"
          size="md"
          loading={download.isPending}
          onClick={() => download.mutate()}
        >
          {A.data.submit}
        </TryButton>
      </Group>
    </Card>
  )
}

/** A link to the API would not send the access token. */
function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_MS)
}
