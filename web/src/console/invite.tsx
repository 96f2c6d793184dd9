import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function InvitePage() {
  return (
    <Card>
      <Heading>{C.pages['/console/users/new']}</Heading>
    </Card>
  )
}
