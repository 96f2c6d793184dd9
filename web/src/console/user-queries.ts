import { queries } from '../session.ts'

/** Of all that the page of a user shows. */
export const keyOf = (id: number, part?: 'sessions' | 'mail' | 'timeline') =>
  part === undefined ? ['user', id] : ['user', id, part]

/** After an act, whether it succeeded or not: what was shown may be why it was refused. */
export const refreshUser = (id: number) => queries.invalidateQueries({ queryKey: keyOf(id) })
