import type { Service } from './service.ts'

/** What was recorded under a name, oldest first: who did it, whom it concerns, from where. */
export async function eventsOf({ ctx }: Pick<Service, 'ctx'>, event: string) {
  const rows = await ctx.db
    .selectFrom('audit_events')
    .select(['actor_id', 'subject_id', 'ip', 'request_id', 'changes'])
    .where('event', '=', event)
    .orderBy('id')
    .execute()
  return rows.map(({ changes, ...row }) => ({ ...row, changes: JSON.parse(changes) }))
}
