import { Anchor, Button, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { C } from './texts.ts'

/** A parameter of a list that narrows it: one of `options`, a number, or a time, which the API takes in UTC. */
export interface Filter {
  readonly name: string
  readonly label: string
  readonly type?: 'number' | 'datetime-local'
  readonly options?: readonly { readonly value: string; readonly label: string }[]
}

/** What the address holds for these parameters and for the page; whether it is valid, the API says. */
export function useFilters(filters: readonly Filter[]): Record<string, string> {
  const [search] = useSearchParams()
  const names = new Set([...filters.map(({ name }) => name), 'after'])
  return Object.fromEntries([...search].filter(([name]) => names.has(name)))
}

/** Sets the parameters in the address; other filters begin at their first page. */
export function Filters({ filters }: { filters: readonly Filter[] }) {
  const [location] = useLocation()
  const [search, setSearch] = useSearchParams()
  // What somebody has entered but not applied, on this page and no other.
  const here = String(search)
  const [draft, setDraft] = useState<{ of: string; entered: Record<string, string> }>()
  const entered = draft?.of === here ? draft.entered : {}
  const valueOf = ({ name, type }: Filter) => entered[name] ?? toField(search.get(name) ?? '', type)

  const apply = () => {
    const next = new URLSearchParams()
    for (const filter of filters) {
      const { name, type } = filter
      const field = valueOf(filter)
      const before = search.get(name) ?? ''
      // A clock that is set back shows the same time twice, and could not tell which it was.
      const value =
        field === toField(before, type) && field !== '' ? before : fromField(field, type)
      if (value !== '') next.set(name, value)
    }
    setSearch(next)
    setDraft(undefined)
  }
  return (
    <form
      className="list-filters"
      aria-label={C.filters.label}
      onSubmit={(event) => {
        event.preventDefault()
        apply()
      }}
    >
      {filters.map((filter) => {
        const { name, label, type, options } = filter
        const field = {
          label,
          value: valueOf(filter),
          onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) =>
            setDraft({ of: here, entered: { ...entered, [name]: value } }),
        }
        if (options === undefined)
          return (
            <TextInput
              key={name}
              {...field}
              type={type}
              {...(type === 'number' ? { min: 1, step: 1 } : { step: 'any' })}
            />
          )
        const all = { value: '', label: C.filters.all }
        return <NativeSelect key={name} {...field} data={[all, ...options]} />
      })}
      <Button type="submit" variant="default">
        {C.filters.apply}
      </Button>
      {here !== '' && (
        <Link to={location} asChild>
          <Anchor>{C.filters.clear}</Anchor>
        </Link>
      )}
    </form>
  )
}

/** A time as the reader's clock shows it. */
function toField(value: string, type: Filter['type']): string {
  if (type !== 'datetime-local') return value
  const time = new Date(value)
  if (Number.isNaN(time.getTime())) return ''
  time.setTime(time.getTime() - time.getTimezoneOffset() * 60_000)
  return time.toISOString().replace(/(:00)?(\.000)?Z$/, '')
}

function fromField(value: string, type: Filter['type']): string {
  return type === 'datetime-local' && value !== '' ? new Date(value).toISOString() : value.trim()
}
