import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function UserPage() {
  return (
    <Card>
      <Heading>{C.pages['/console/users/:id']}</Heading>
    </Card>
  )
}
