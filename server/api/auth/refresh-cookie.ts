import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { assertOwnPage } from '../../http/cross-site.ts'
import { SECOND_MS } from '../../lib/units.ts'
import { readRefreshToken } from '../../accounts/sessions.ts'
import type { issueTokens } from '../../accounts/tokens.ts'

/** Not just `refresh_token`: all ports of a host share their cookies, such as those of localhost. */
const NAME = 'coffee_shop_refresh_token'
/** No other host can set such a cookie for this one (RFC 6265bis section 4.1.3.2). Browsers require https. */
export const HOST_NAME = `__Host-${NAME}`

export const InCookie = Type.Optional(
  Type.Boolean({
    description:
      'Only for pages of this origin and of `CORS_ORIGINS` on the same site: puts the refresh token into a cookie that no script can read, instead of into the response.',
    examples: [false],
  }),
)

export const SET_COOKIE = {
  'Set-Cookie': {
    type: 'string',
    description: `Only with the refresh token in a cookie: \`${HOST_NAME}\`, or \`${NAME}\` where \`PUBLIC_URL\` is http.`,
  },
}

/**
 * The refresh tokens in the cookies of the request. With more than one, another host or page of the site
 * has set a cookie of that name: none can be told to be ours. Throws `cross_site_request`.
 */
export function refreshTokensIn(ctx: Context, request: FastifyRequest): string[] {
  const start = `${nameFor(ctx)}=`
  const found = (request.headers.cookie ?? '')
    .split(';')
    // Not trim(): it would let a name of another spelling pass, which browsers do not protect.
    .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length))
  if (found.length > 0) assertOwnPage(ctx, request)
  return found
}

/** The ids in the genuine ones of `refreshTokensIn`. */
export function sessionIdsIn(ctx: Context, request: FastifyRequest): string[] {
  return refreshTokensIn(ctx, request).flatMap(
    (token) => readRefreshToken(ctx.keys, token)?.sessionId ?? [],
  )
}

/** Sets the cookie, which ends with the session, and returns the rest of the response. */
export function keepInCookie(
  ctx: Context,
  reply: FastifyReply,
  { tokens, expiresAt }: { tokens: Awaited<ReturnType<typeof issueTokens>>; expiresAt: string },
) {
  const { refresh_token, ...rest } = tokens
  const lifetimeS = Math.floor((Date.parse(expiresAt) - ctx.now()) / SECOND_MS)
  reply.header('set-cookie', cookieText(ctx, refresh_token, lifetimeS))
  return rest
}

export function clearCookie(ctx: Context, reply: FastifyReply): void {
  reply.header('set-cookie', cookieText(ctx, '', 0))
}

function cookieText(ctx: Context, value: string, lifetimeS: number): string {
  const secure = isHttps(ctx) ? '; Secure' : ''
  return `${nameFor(ctx)}=${value}; Max-Age=${lifetimeS}; Path=/; HttpOnly; SameSite=Strict${secure}`
}

function nameFor(ctx: Context): string {
  return isHttps(ctx) ? HOST_NAME : NAME
}

/** Whatever the connection: a proxy ends TLS. */
function isHttps({ config }: Context): boolean {
  return config.publicUrl.startsWith('https:')
}
