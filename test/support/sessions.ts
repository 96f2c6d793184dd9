import assert from 'node:assert/strict'
import { assertProblem } from './problem.ts'
import type { Answer, Service, TestUser } from './service.ts'

export const LOGIN = '/api/v1/auth/login'
export const LOGOUT = '/api/v1/auth/logout'
export const REFRESH = '/api/v1/auth/refresh'
export const SESSIONS = '/api/v1/me/sessions'

export type Tokens = Pick<TestUser, 'access' | 'refresh'>

export const sessionIdOf = ({ refresh }: Pick<Tokens, 'refresh'>): string =>
  refresh.split('.')[0] ?? ''

export const refresh = (service: Service, token: unknown): Promise<Answer> =>
  service.post(REFRESH, { refresh_token: token })

export const endSession = (
  service: Service,
  { access: token }: Pick<Tokens, 'access'>,
  id: string,
): Promise<Answer> => service.delete(`${SESSIONS}/${id}`, { token })

/** The tokens of an answer that must be a success. */
export function tokensOf({ status, body, text }: Answer): Tokens {
  assert.equal(status, 200, text)
  return { access: body.access_token, refresh: body.refresh_token }
}

/** Both tokens open nothing. */
export async function assertDead(service: Service, ...sessions: readonly Tokens[]): Promise<void> {
  for (const session of sessions) {
    assertProblem(await service.get('/api/v1/me', { token: session.access }), 'invalid_token')
    assertProblem(await refresh(service, session.refresh), 'invalid_token')
  }
}

/** Whether both tokens work: never one alone. It rotates the session. */
export async function isLive(service: Service, session: Tokens): Promise<boolean> {
  const me = await service.get('/api/v1/me', { token: session.access })
  const rotated = await refresh(service, session.refresh)
  assert.equal(me.status, rotated.status)
  return me.status === 200
}

/** How many sessions of a user nobody has ended. */
export async function openSessions({ ctx }: Service, { id }: { id: number }): Promise<number> {
  const open = await ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', id)
    .where('revoked_at', 'is', null)
    .execute()
  return open.length
}
