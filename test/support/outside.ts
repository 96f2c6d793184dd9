import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createRemoteJWKSet, jwtVerify, type JWTVerifyResult } from 'jose'

/** An address that is known before the service behind it listens, as that of a proxy is. */
export async function openFront() {
  let port = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo: (target: string) => void (port = Number(new URL(target).port)),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a service elsewhere does: it knows the issuer and the audience, and finds the rest out. */
export async function verifierFor(
  issuer: string,
  { now, audience = 'coffee-shop-api' }: { now: () => number; audience?: string },
): Promise<(token: string) => Promise<JWTVerifyResult>> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname
  const answer = await fetch(`${origin}/.well-known/oauth-authorization-server${path}`)
  const metadata = (await answer.json()) as { issuer: string; jwks_uri: string }
  // RFC 8414 section 3.3.
  assert.equal(metadata.issuer, issuer)
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  return (token) =>
    jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['EdDSA', 'ES256', 'RS256'],
      currentDate: new Date(now()),
    })
}
