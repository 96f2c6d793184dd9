import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { CACHED_BY_VERIFIERS } from '../../http/headers.ts'
import { publicJwk } from '../../keys/signing-keys.ts'

const text = (description: string, example: string) =>
  Type.String({ description, examples: [example] })

const Jwk = Type.Object(
  {
    kty: text('The key type.', 'OKP'),
    kid: text('The `kid` of tokens that it signed.', 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'),
    alg: text('The only algorithm that it is for.', 'EdDSA'),
    use: Type.Literal('sig'),
    crv: Type.Optional(text('The curve.', 'Ed25519')),
    x: Type.Optional(text('A coordinate.', '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')),
    y: Type.Optional(text('A coordinate.', 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0')),
    n: Type.Optional(
      text('The modulus.', 'sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1Wl'),
    ),
    e: Type.Optional(text('The exponent.', 'AQAB')),
  },
  { title: 'Jwk' },
)

const schema = {
  operationId: 'showSigningKeys',
  tags: ['Discovery'],
  summary: 'Get the public keys for access tokens',
  description:
    'Returns a JWK Set (RFC 7517). Cache it for ten minutes: a key is published 30 minutes before it is used, and until the last token that it signed has expired. The set is empty with `ALGORITHM=HS256`.',
  response: {
    200: Type.Object(
      { keys: Type.Array(Jwk) },
      { title: 'JwkSet', description: 'The keys, oldest first.' },
    ),
  },
}

export function showSigningKeysRoute(app: App, ctx: Context): void {
  app.get('/.well-known/jwks.json', { schema }, async (_request, reply) => {
    const keys = ctx.signingKeys?.published() ?? []
    reply.header('cache-control', CACHED_BY_VERIFIERS)
    return { keys: keys.map((key) => publicJwk(key)) }
  })
}
