import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function AuditPage() {
  return (
    <Card>
      <Heading>{C.pages['/console/audit']}</Heading>
    </Card>
  )
}
