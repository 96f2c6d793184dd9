import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function JobsPage() {
  return (
    <Card>
      <Heading>{C.pages['/console/jobs']}</Heading>
    </Card>
  )
}
