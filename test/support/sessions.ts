import { assertProblem } from './problem.ts'
import type { Answer, Service, TestUser } from './service.ts'

export const LOGIN = '/api/v1/auth/login'
export const REFRESH = '/api/v1/auth/refresh'

type Tokens = Pick<TestUser, 'access' | 'refresh'>

const refresh = (service: Service, token: unknown): Promise<Answer> =>
  service.post(REFRESH, { refresh_token: token })

/** Both tokens open nothing. */
export async function assertDead(service: Service, ...sessions: readonly Tokens[]): Promise<void> {
  for (const session of sessions) {
    assertProblem(await service.get('/api/v1/me', { token: session.access }), 'invalid_token')
    assertProblem(await refresh(service, session.refresh), 'invalid_token')
  }
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
