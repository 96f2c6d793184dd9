import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function MailPage() {
  return (
    <Card>
      <Heading>{C.pages['/console/mail']}</Heading>
    </Card>
  )
}
