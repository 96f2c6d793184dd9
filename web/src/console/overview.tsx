import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function OverviewPage() {
  return (
    <Card>
      <Heading>{C.pages['/console']}</Heading>
    </Card>
  )
}
