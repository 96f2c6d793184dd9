import { createHmac } from 'node:crypto'
import { SETTINGS } from './service.ts'

export type Claims = Record<string, unknown>

export interface Forgery {
  /** JSON as it is, or what becomes it. */
  readonly claims: Claims | string
  readonly header?: Claims | string
  readonly key?: string
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
}

/** Makes tokens by hand; as given they are good ones. */
export interface Forge {
  (forgery: Forgery): string
  /** Of a good token. */
  readonly header: Claims
}

export const HEADER = { alg: 'HS256', typ: 'at+jwt' }

/** A signed token made by hand, for what no library would make. As given it is a good one. */
export function forge({
  claims,
  header = HEADER,
  key = SETTINGS.SECRET_KEY,
  hash = 'sha256',
}: Forgery): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

export const forgeByHmac: Forge = Object.assign(forge.bind(undefined), { header: HEADER })

export function claimsOf(
  token: string,
): Claims & { sub: string; sid: string; iat: number; exp: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** The same bytes as another text: base64url leaves the last two bits of 43 characters open. */
export function respell(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.at(-1) ?? '')
  return token.slice(0, -1) + alphabet[last ^ 1]
}

export function encode(part: Claims | string): string {
  const json = typeof part === 'string' ? part : JSON.stringify(part)
  return Buffer.from(json).toString('base64url')
}
