import { equalTexts, type KeyRing, type KeySet, mac } from '../keys/key-ring.ts'

/**
 * Encodes the position at which a page ended. A MAC binds it to its scope (list, sort, filters), so
 * that only positions issued by this service reach the database.
 */
export function sealCursor(keys: KeyRing, scope: string, position: object): string {
  const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${payload}.${cursorMac(keys.current, scope, payload)}`
}

/** The position; undefined for a forged cursor or one of another scope. */
export function openCursor(keys: KeyRing, scope: string, cursor: string): unknown {
  const [payload = '', ...presented] = cursor.split('.')
  const genuine = keys.all.some((set) =>
    equalTexts(cursorMac(set, scope, payload), presented.join('.')),
  )
  return genuine ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined
}

/** JSON separates scope and payload unambiguously. */
function cursorMac(set: KeySet, scope: string, payload: string): string {
  return mac(set.of.cursor, JSON.stringify([scope, payload]))
}
