import type { ReactNode } from 'react'

/** Terms with what there is to say of each, in a column or, as `tiles`, beside each other in large type. */
export function Terms({
  terms,
  as = 'rows',
}: {
  terms: readonly (readonly [string, ReactNode])[]
  as?: 'rows' | 'tiles'
}) {
  return (
    <dl className={`terms ${as}`}>
      {terms.map(([term, what]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  )
}
