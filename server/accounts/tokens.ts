import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { accessTokenLifetimeS, signAccessToken } from './access-tokens.ts'
import { refreshTokenFor } from './sessions.ts'

/** A well-formed example with an invalid MAC. */
const REFRESH_TOKEN = `0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.0.${'A'.repeat(43)}`

export const RefreshToken = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'The latest refresh token of the session.',
  examples: [REFRESH_TOKEN],
})

export const Tokens = Type.Object(
  {
    access_token: Type.String({
      description: 'A JWT (RFC 9068). Send it as `Authorization: Bearer …`.',
      examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.….…'],
    }),
    refresh_token: Type.Optional(
      Type.String({
        description:
          'Valid for the next refresh only: every response contains a new one. Absent if a cookie contains it.',
        examples: [REFRESH_TOKEN],
      }),
    ),
    token_type: Type.Literal('bearer'),
    expires_in: Type.Integer({
      description: 'Seconds until the access token expires.',
      examples: [1800],
    }),
  },
  { title: 'Tokens', additionalProperties: false, description: 'A pair of tokens.' },
)

/** Signs a new access token and derives the refresh token of one generation of a session. */
export async function issueTokens(
  ctx: Context,
  session: { sessionId: string; userId: number; generation: number },
) {
  return {
    access_token: await signAccessToken(ctx, session),
    refresh_token: refreshTokenFor(ctx.keys, session.sessionId, session.generation),
    token_type: 'bearer' as const,
    expires_in: accessTokenLifetimeS(ctx),
  }
}
