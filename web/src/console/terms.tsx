import type { ReactNode } from 'react'

export type Term = readonly [term: string, what: ReactNode]

interface TermsProps {
  /** Undefined for one that there is nothing to say of. */
  readonly terms: readonly (Term | undefined)[]
  /** Below each other, side by side, or side by side in large type. */
  readonly as?: 'rows' | 'columns' | 'tiles'
}

export function Terms({ terms, as = 'rows' }: TermsProps) {
  return (
    <dl className={`terms ${as}`}>
      {terms
        .filter((term) => term !== undefined)
        .map(([term, what]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{what}</dd>
          </div>
        ))}
    </dl>
  )
}
