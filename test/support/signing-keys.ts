import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SigningAlgorithm, type SigningKey } from '../../server/keys/signing-keys.ts'
import { loadSigningKeys, rotateSigningKeys } from '../../server/keys/signing-key-file.ts'
import { temporaryFolder } from './process.ts'
import { encode, forge, type Forge, type Forgery } from './tokens.ts'

export const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const satisfies SigningAlgorithm[]

export function makePrivateKey(algorithm: SigningAlgorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

export function toPem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

export type TestKeyFile = ReturnType<typeof createKeyFile>

/** A private key in PEM in a folder of its own, gone at the end of the block. */
export function createKeyFile(algorithm: SigningAlgorithm) {
  const folder = temporaryFolder()
  const path = join(folder.path, 'keys')
  writeFileSync(path, toPem(makePrivateKey(algorithm)), { mode: 0o600 })
  const keys = () => loadSigningKeys(path, algorithm).keys
  return {
    path,
    folder: folder.path,
    algorithm,
    settings: { ALGORITHM: algorithm, JWT_PRIVATE_KEY_FILE: path },
    keys,
    /** The newest key of the file. */
    newest: () => keys().at(-1) as SigningKey,
    rotate: (nowMs: number) => rotateSigningKeys(path, algorithm, nowMs),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

/** Signs by hand with a key of ours, or by HMAC where a forgery names a secret or a hash. */
export function forgeWith({ alg, kid, privateKey }: SigningKey): Forge {
  const own = { alg, typ: 'at+jwt', kid }
  const make = ({ claims, header = own, ...hmac }: Forgery) => {
    if (hmac.key !== undefined || hmac.hash !== undefined) return forge({ claims, header, ...hmac })
    const input = `${encode(header)}.${encode(claims)}`
    return `${input}.${signatureOf(input, alg, privateKey)}`
  }
  return Object.assign(make, { header: own })
}

/** As JWS wants it: ECDSA as two numbers, one behind the other (RFC 7518 section 3.4). */
export function signatureOf(
  input: string,
  algorithm: SigningAlgorithm,
  privateKey: KeyObject,
): string {
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return sign(hash, Buffer.from(input), key).toString('base64url')
}
