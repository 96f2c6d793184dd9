import { Anchor, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { AuditEvent } from './facts.ts'
import { C } from './texts.ts'

/** What happened; of an event that only a newer service knows, its name. */
export function sentenceOf({ event, changes }: Pick<AuditEvent, 'event' | 'changes'>): string {
  const sentence: ((facts: AuditEvent['changes']) => string) | undefined = C.events.sentences[event]
  return sentence?.(changes) ?? event
}

/** Who did it: “admin #3”, with a link. */
export function Actor({ event }: { event: AuditEvent }) {
  const { actor_id: actor, subject_id: subject, request_id: request, ip } = event
  // A link to set a password is logged by the worker that mails it, with the address of who asked.
  const isOfClient = request !== null || ip !== null
  if (actor === null) return isOfClient ? C.events.nobody : C.events.service
  if (actor === subject) return C.events.self
  // Only an admin acts on others.
  const name = subject === null ? C.events.user(actor) : C.events.admin(actor)
  return <UserLink id={actor}>{name}</UserLink>
}

/** Whom it concerns: “Concerns user #7”, with a link. Nothing for an event that concerns nobody. */
export function Subject({ event: { subject_id: id } }: { event: AuditEvent }) {
  if (id === null) return null
  return (
    <span>
      {C.events.about} <UserLink id={id}>{C.events.user(id)}</UserLink>
    </span>
  )
}

/** From where, and the id that the log has of the request, too. */
export function Origin({ event: { ip, request_id } }: { event: AuditEvent }) {
  return (
    <div>
      {ip}
      <Text c="dimmed" fz="xs">
        {request_id}
      </Text>
    </div>
  )
}

function UserLink({ id, children }: { id: number; children: string }) {
  return (
    <Link to={`/console/users/${id}`} asChild>
      <Anchor inherit>{children}</Anchor>
    </Link>
  )
}
