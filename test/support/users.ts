import assert from 'node:assert/strict'
import type { Answer, Service } from './service.ts'

export const USERS = '/api/v1/users'
export const ids = ({ body }: Answer): number[] => body.map((user: { id: number }) => user.id)
export const emails = ({ body }: Answer): string[] =>
  body.map((user: { email: string }) => user.email)

/** The path of the next page; undefined on the last one. */
export function nextOf({ headers }: Answer): string | undefined {
  const link = headers['link']
  if (link === undefined) return undefined
  const target = /^<(\/[^>]*)>; rel="next"$/.exec(link)?.[1]
  assert.ok(target, link)
  return target
}

/** A signed-in admin and a way to ask for lists. */
export async function startList(service: Service) {
  const { access: token } = await service.addAdmin('zoe@example.org')
  const list = (query: Record<string, string> = {}, path = USERS) =>
    service.get(`${path}?${new URLSearchParams(query).toString()}`, { token })
  return { token, list }
}

/** A user as it is stored, to compare before and after. */
export async function rowOf({ ctx }: Service, { id }: { id: number }) {
  return ctx.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
