import { Card, Heading } from '../page.tsx'
import { C } from './texts.ts'

export function SettingsPage() {
  return (
    <Card>
      <Heading>{C.pages['/console/settings']}</Heading>
    </Card>
  )
}
