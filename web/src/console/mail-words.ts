import type { Message } from './facts.ts'
import { C } from './texts.ts'

/** What a message says; of a kind that only a newer service knows, its name. */
export function kindOf({ kind }: Pick<Message, 'kind'>): string {
  const words: Readonly<Record<string, string>> = C.mailWords.kinds
  return words[kind] ?? kind
}

export function stateOf({ state }: Pick<Message, 'state'>): string {
  return C.mailWords.states[state]
}
