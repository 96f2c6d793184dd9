import { Text } from '@mantine/core'

/** What was done. It is there before it says something, as screen readers need it. */
export function Status({ children }: { children: string }) {
  return (
    <Text role="status" className="status">
      {children}
    </Text>
  )
}
