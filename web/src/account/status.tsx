import { Text } from '@mantine/core'
import { useEffect, useRef } from 'react'

interface StatusProps {
  /** Where what was pressed goes away with it. */
  readonly takesFocus?: boolean
  readonly children: string
}

/** What was done. It is there before it says something, as screen readers need it. */
export function Status({ takesFocus = false, children }: StatusProps) {
  const line = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    if (takesFocus && children !== '') line.current?.focus()
  }, [takesFocus, children])
  return (
    <Text ref={line} role="status" className="status" tabIndex={-1}>
      {children}
    </Text>
  )
}
