import type { components } from '../../../client/index.ts'
import { numberOf } from '../setup.ts'
import { C } from './texts.ts'

export type Figure = components['schemas']['Stats']['users']['verified']

/** A number, and how true it is. What was counted and kept is as exact as what was counted now. */
export function figureOf({ count, accuracy }: Figure): string {
  const number = numberOf(count)
  if (accuracy === 'estimated') return C.figures.about(number)
  return accuracy === 'at_least' ? C.figures.atLeast(number) : number
}
