import { equalTexts, type KeyRing, type KeySet, mac } from './key-ring.ts'

/** The purpose of a mailed link; a token is valid for one purpose only. */
export type LinkPurpose = 'reset' | 'undo' | 'invitation'

const TOKEN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/

/** `<id>.<MAC>`: no secret is stored, and a forged token causes no query. */
export function linkToken(set: KeySet, purpose: LinkPurpose, id: string): string {
  return `${id}.${linkMac(set, purpose, id)}`
}

/** The id in a token and the id of its key; undefined unless the MAC is valid. */
export function readLinkToken(
  keys: KeyRing,
  purpose: LinkPurpose,
  token: string,
): { id: string; keyId: string } | undefined {
  const [, id = '', presented = ''] = TOKEN.exec(token) ?? []
  const genuine = keys.all.find((set) => equalTexts(linkMac(set, purpose, id), presented))
  return genuine && { id, keyId: genuine.id }
}

function linkMac(set: KeySet, purpose: LinkPurpose, id: string): string {
  return mac(set.of.link, `${purpose}:${id}`)
}
