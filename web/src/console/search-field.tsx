import { TextInput } from '@mantine/core'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { useAddress } from './address.ts'

interface SearchFieldProps {
  readonly label: string
  readonly description: string
  /** What the address asks for. */
  readonly q: string
}

/** A shorter pause is one between two letters. */
const PAUSE_MS = 250
/** As long as the API takes it. */
const LENGTH_MAX = 254

/** Searches as one types. The address has what was typed, in one entry of the history. */
export function SearchField({ label, description, q }: SearchFieldProps) {
  const [, navigate] = useLocation()
  const to = useAddress()
  const here = to({})
  const field = useRef<HTMLInputElement>(null)
  // Once the address has changed, by this or by the browser's back, it alone decides.
  const [typed, setTyped] = useState({ text: q, at: here })
  const isTyping = typed.at === here && typed.text !== q
  const search = useEffectEvent((text: string) => {
    navigate(to({ q: text, after: '' }), { replace: true })
  })
  useEffect(() => {
    if (!isTyping) return
    const timer = setTimeout(() => search(typed.text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [isTyping, typed])
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof Element && event.target.closest('input, select, dialog')) return
      event.preventDefault()
      field.current?.focus()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        search(typed.at === here ? typed.text : q)
      }}
    >
      <TextInput
        ref={field}
        type="search"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={LENGTH_MAX}
        label={label}
        description={description}
        inputWrapperOrder={['label', 'input', 'description']}
        aria-keyshortcuts="/"
        value={typed.at === here ? typed.text : q}
        onChange={({ currentTarget }) => setTyped({ text: currentTarget.value, at: here })}
        // What is chosen next is added to what was typed.
        onBlur={() => isTyping && search(typed.text)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setTyped({ text: '', at: here })
        }}
      />
    </form>
  )
}
