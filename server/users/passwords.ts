import { Type } from 'typebox'
import type { Context } from '../context.ts'
import type { Role } from '../database/schema.ts'
import { fieldError } from '../errors.ts'
import { passwordProblem } from '../lib/password-policy.ts'

/** Any text: which passwords are good enough is for `assertGoodPassword`, and only where one is set. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'Exact: no trimming, no cutting, every character counts. Compared in Unicode NFC.',
  examples: ['correct horse battery staple'],
})

/** Throws `validation_failed` with the reason for a password that may not be set. `email` is canonical. */
export function assertGoodPassword(
  ctx: Context,
  password: string,
  owner: { role: Role; email: string; fullName: string | null },
  pointer = '/password',
): void {
  const problem = passwordProblem(password, { ...owner, minLength: ctx.config.passwordMinLength })
  if (problem !== undefined) throw fieldError(pointer, problem.code, problem.detail)
}
