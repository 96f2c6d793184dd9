import { Text } from '@mantine/core'

/** What was done. It is there before it says something, as screen readers need it. */
export function Told({ children }: { children: string }) {
  return (
    <Text role="status" className="told">
      {children}
    </Text>
  )
}
