import type { components, paths } from '../../../client/index.ts'
import { type DeviceWords, nameOfDevice } from '../device-name.ts'

export type AuditEvent = components['schemas']['AuditEvent']
export type Message = components['schemas']['Message']
type MailQuery = NonNullable<paths['/api/v1/mail']['get']['parameters']['query']>

/** What happened, with the facts of the event. An event without a sentence does not compile. */
export type Sentences = Readonly<
  Record<AuditEvent['event'], (changes: AuditEvent['changes']) => string>
>
export type MailKinds = Readonly<Record<NonNullable<MailQuery['kind']>, string>>
export type MailStates = Readonly<Record<Message['state'], string>>

/** An optional fact; another version of the service may have recorded others. */
export function textIn(facts: AuditEvent['changes'], name: string): string {
  const fact = facts[name]
  return typeof fact === 'string' ? fact : ''
}

/** A number, or how many a list has; 0 without either. */
export function countIn(facts: AuditEvent['changes'], name: string): number {
  const fact = facts[name]
  if (Array.isArray(fact)) return fact.length
  return typeof fact === 'number' ? fact : 0
}

/** Empty for an unknown device. */
export function deviceIn({ device }: AuditEvent['changes'], words: DeviceWords): string {
  if (typeof device !== 'object' || device === null) return ''
  const { program, system } = device as Readonly<Record<string, unknown>>
  const known = (part: unknown) => (typeof part === 'string' ? part : null)
  return nameOfDevice({ program: known(program), system: known(system) }, words)
}
