import { equalTexts, type KeyRing, type KeySet, mac } from './key-ring.ts'

/** The action of a mailed link. A token made for one purpose never works for another. */
export type LinkPurpose = 'reset' | 'undo'

const TOKEN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/

/** `<id>.<MAC>`: nothing secret is stored, and a wrong MAC never reaches a table. */
export function linkToken(set: KeySet, purpose: LinkPurpose, id: string): string {
  return `${id}.${linkMac(set, purpose, id)}`
}

/** The id in a token and the key that made it; undefined unless its MAC is exactly right. */
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
