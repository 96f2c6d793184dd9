import { type Static, Type } from 'typebox'

/** Up to here a figure is counted. */
export const COUNTED_MAX = 10_000

/** A number of rows, and how true it is. */
export const Figure = Type.Object(
  {
    count: Type.Integer({ minimum: 0, examples: [42] }),
    accuracy: Type.Enum(['exact', 'kept', 'estimated', 'at_least'], {
      description:
        '`exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.',
    }),
  },
  { additionalProperties: false, description: 'A count and its accuracy.' },
)
export type Figure = Static<typeof Figure>

/** Of a count that ended beyond the limit. */
export function figureUpToMax(count: number): Figure {
  return count > COUNTED_MAX
    ? { count: COUNTED_MAX, accuracy: 'at_least' }
    : { count, accuracy: 'exact' }
}
