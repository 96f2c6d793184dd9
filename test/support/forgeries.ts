import type { Claims, Forge } from './tokens.ts'

/** Why it must be refused, and how it is made from the claims of a good token that was issued now. */
export type Forgery = [
  why: string,
  make: (claims: Claims & { iat: number; exp: number }, forge: Forge) => string,
]

const header = (why: string, members: Claims): Forgery => [
  why,
  (claims, forge) => forge({ claims, header: { ...forge.header, ...members } }),
]
const rawHeader = (why: string, change: (json: string) => string): Forgery => [
  why,
  (claims, forge) => forge({ claims, header: change(JSON.stringify(forge.header)) }),
]
const claim = (name: string, value: unknown): Forgery => [
  `${name} ${JSON.stringify(value)}`,
  (claims, forge) => forge({ claims: { ...claims, [name]: value } }),
]
const claims = (why: string, change: (own: { iat: number; exp: number }) => Claims): Forgery => [
  why,
  (own, forge) => forge({ claims: { ...own, ...change(own) } }),
]

/** Signed with the right key, but not as our tokens are. */
export const BAD_HEADERS: readonly Forgery[] = [
  ...['none', 'None', 'nOnE', '', undefined].flatMap((alg): Forgery[] => [
    header(`alg ${alg} with a signature`, { alg }),
    [
      `alg ${alg} without a signature`,
      (own, forge) => {
        const token = forge({ claims: own, header: { ...forge.header, alg } })
        return token.slice(0, token.lastIndexOf('.') + 1)
      },
    ],
  ]),
  rawHeader('alg twice, none last', (json) => json.replace('}', ',"alg":"none"}')),
  [
    'HS384',
    (own, forge) =>
      forge({ claims: own, header: { ...forge.header, alg: 'HS384' }, hash: 'sha384' }),
  ],
  [
    'HS512',
    (own, forge) =>
      forge({ claims: own, header: { ...forge.header, alg: 'HS512' }, hash: 'sha512' }),
  ],
  ...[undefined, 'JWT', 'refresh+jwt', 'at+jwt ', 'application/jwt', '', 1, ['at+jwt']].map((typ) =>
    header(`typ ${JSON.stringify(typ)}`, { typ }),
  ),
  header('an unknown critical extension', { crit: ['x'], x: 1 }),
  header('a critical extension that is absent', { crit: ['x'] }),
  header('an unencoded payload', { b64: false }),
  header('an unencoded payload, marked critical', { b64: false, crit: ['b64'] }),
  header('a compressed payload', { zip: 'DEF' }),
  rawHeader('a prototype', (json) => json.replace('}', ',"__proto__":{"x":1}}')),
  rawHeader('a list', () => '["HS256"]'),
  rawHeader('no JSON', () => '{'),
]

const UNKNOWN_ID = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'
const ISSUER = 'http://localhost:8000'

/** Signed with the right key and header. */
export const BAD_CLAIMS: readonly Forgery[] = [
  ...['sub', 'sid', 'iss', 'aud', 'iat', 'exp'].map((name) => claim(name, undefined)),
  ...[1, {}, [1], ['1'], '', '0', '999999', null].map((sub) => claim('sub', sub)),
  ...['01', ' 1', '1.0', '1e0', '0x1', '+1', '1\n', 'ann@example.com'].map((sub) =>
    claim('sub', sub),
  ),
  ...[1, {}, '', 'a\0b', "' or '1'='1", UNKNOWN_ID, null].map((sid) => claim('sid', sid)),
  ...['http://evil.example', `${ISSUER}/`, ISSUER.toUpperCase(), null].map((iss) =>
    claim('iss', iss),
  ),
  ...[[ISSUER], ['http://evil.example', ISSUER]].map((iss) => claim('iss', iss)),
  ...['other', ['coffee-shop-api'], ['other', 'coffee-shop-api'], [], {}, null].map((aud) =>
    claim('aud', aud),
  ),
  claims('iat 6 seconds ahead', ({ iat }) => ({ iat: iat + 6 })),
  claims('iat in the far future', () => ({ iat: 2 ** 40, exp: 2 ** 40 + 60 })),
  claims('iat a fraction', ({ iat }) => ({ iat: iat + 0.5 })),
  claims('iat a text', ({ iat }) => ({ iat: String(iat) })),
  claims('nbf 6 seconds ahead', ({ iat }) => ({ nbf: iat + 6 })),
  claims('nbf a fraction', ({ iat }) => ({ nbf: iat - 0.5 })),
  claims('nbf a text', ({ iat }) => ({ nbf: String(iat) })),
  claims('exp now', ({ iat }) => ({ iat: iat - 60, exp: iat })),
  claims('exp past', ({ iat }) => ({ iat: iat - 60, exp: iat - 1 })),
  claims('exp a fraction', ({ exp }) => ({ exp: exp - 0.5 })),
  claims('exp a text', ({ exp }) => ({ exp: String(exp) })),
  claims('one second more than the lifetime', ({ exp }) => ({ exp: exp + 1 })),
  claims('more than the lifetime, begun earlier', ({ iat }) => ({ iat: iat - 1 })),
  [
    'exp beyond every number',
    (own, forge) =>
      forge({ claims: JSON.stringify({ ...own, exp: 0 }).replace('"exp":0', '"exp":1e400') }),
  ],
  ...['[]', 'null', '"x"', '{', ''].map((text): Forgery => [
    `the claims ${text || 'left out'}`,
    (_, forge) => forge({ claims: text }),
  ]),
]

const KNOWN_SECRETS = ['', 'secret', 'your-secret-key', '\0'.repeat(32), 'undefined', 'null']

/** The right header and claims, but not signed by us. */
export const BAD_SIGNATURES: readonly Forgery[] = [
  ...KNOWN_SECRETS.map((key): Forgery => [
    `a signature with the secret ${JSON.stringify(key)}`,
    (own, forge) => forge({ claims: own, key }),
  ]),
  ['a cut signature', (own, forge) => forge({ claims: own }).slice(0, -1)],
  ['a longer signature', (own, forge) => `${forge({ claims: own })}A`],
  ['an empty signature', (own, forge) => forge({ claims: own }).replace(/[^.]*$/, '')],
  ['two parts', (own, forge) => forge({ claims: own }).replace(/\.[^.]*$/, '')],
  ['four parts', (own, forge) => `${forge({ claims: own })}.x`],
  ['a hundred dots', () => '.'.repeat(100)],
  [
    'the signature of other claims',
    (own, forge) => {
      const other = forge({ claims: { ...own, sub: '2' } })
      return forge({ claims: own }).replace(/[^.]*$/, other.split('.')[2] ?? '')
    },
  ],
  ['3 000 characters', (own, forge) => forge({ claims: { ...own, more: 'x'.repeat(3000) } })],
  ['a megabyte', (own, forge) => forge({ claims: { ...own, more: 'x'.repeat(2 ** 20) } })],
]
