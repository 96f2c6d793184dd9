import { equalTexts, type KeyRing, type KeySet, mac } from '../keys/key-ring.ts'

/**
 * An opaque cursor: where a page ended, bound to a scope (list, order, filters) by a MAC, so that no
 * value that we did not write reaches the database.
 */
export function sealCursor(keys: KeyRing, scope: string, position: object): string {
  const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${payload}.${cursorMac(keys.current, scope, payload)}`
}

/** The position, or undefined for a cursor of another scope or not of ours. */
export function openCursor(keys: KeyRing, scope: string, cursor: string): unknown {
  const [payload = '', ...presented] = cursor.split('.')
  const genuine = keys.all.some((set) =>
    equalTexts(cursorMac(set, scope, payload), presented.join('.')),
  )
  return genuine ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined
}

/** As JSON, so that no end of a scope can pass for the beginning of a payload. */
function cursorMac(set: KeySet, scope: string, payload: string): string {
  return mac(set.of.cursor, JSON.stringify([scope, payload]))
}
