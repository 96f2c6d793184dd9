import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { hashAdmission } from '../../http/admission.ts'
import type { App } from '../../http/fastify.ts'
import type { Guards } from '../guards.ts'
import { setAuthenticated } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'
import { assertOwnPassword, lockProven, type PasswordProof } from '../current-password.ts'
import { CurrentPassword } from '../schemas.ts'

const schema = {
  operationId: 'reauthenticate',
  tags: ['Authentication'],
  summary: 'Confirm my password',
  description:
    'Confirms the password for this session. Admins can then change roles, disable admins and delete users for ten minutes (`REAUTHENTICATION_MINUTES`), as after a login. A refresh does not extend that time, and a change of the password ends it.',
  body: Type.Object({ current_password: CurrentPassword }, { additionalProperties: false }),
  response: { 204: Type.Null({ description: 'The password was confirmed.' }) },
  errors: ['wrong_password', 'too_many_requests', 'overloaded'] as const,
}

export function reauthenticateRoute(app: App, ctx: Context, guards: Guards): void {
  const { config, onRequest } = guards.user
  const options = { schema, config, onRequest: [onRequest, hashAdmission(ctx).onRequest] }
  app.post('/auth/reauthenticate', options, async (request, reply) => {
    const proof = await assertOwnPassword(ctx, request, request.body.current_password)
    await markAuthenticated(ctx, proof)
    return reply.code(204).send(null)
  })
}

function markAuthenticated(ctx: Context, proof: PasswordProof): Promise<void> {
  const { sessionId, userId: subjectId, cause } = proof.actor
  return commit(ctx, cause, async (write) => {
    await lockProven(write, proof)
    await setAuthenticated(write.tx, sessionId, write.nowMs)
    const changes = { session_id: sessionId }
    await write.record('session.reauthenticated', { subjectId, changes })
  })
}
