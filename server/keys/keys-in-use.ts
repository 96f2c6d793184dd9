import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { KeysInUseTable } from '../database/schema.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import type { KeyRing, TokenKeys } from './key-ring.ts'
import type { SigningKeys } from './signing-key-file.ts'

/** The ids of a process's keys for one purpose; `accepted` contains the current one. */
export interface OwnKeys {
  readonly purpose: 'secret' | 'token'
  /** The setting that holds them. */
  readonly setting: string
  readonly current: string
  readonly accepted: readonly string[]
}

/** Processes register every minute; a key that none has used for this long may be replaced by any other. */
const UNUSED_AFTER_MS = 5 * MINUTE_MS

interface Holder {
  readonly keys: KeyRing
  readonly tokenKeys: TokenKeys
  readonly signingKeys: SigningKeys | undefined
}

/** The keys of a process. Workers use no access tokens and may lack their keys. */
export function ownKeysOf(
  { keys, tokenKeys, signingKeys }: Holder,
  { serves }: { readonly serves: boolean },
): readonly OwnKeys[] {
  const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)
  const secret = { setting: 'SECRET_KEY', current: keys.current.id, accepted: idsOf(keys.all) }
  if (!serves) return [{ ...secret, purpose: 'secret' }]
  const token =
    signingKeys === undefined
      ? {
          setting:
            tokenKeys.current === keys.current
              ? 'JWT_SECRET_KEY, or without it SECRET_KEY,'
              : 'JWT_SECRET_KEY',
          current: tokenKeys.current.id,
          accepted: idsOf(tokenKeys.all),
        }
      : {
          setting: 'JWT_PRIVATE_KEY_FILE',
          current: signingKeys.signing().kid,
          accepted: signingKeys.published().map(({ kid }) => kid),
        }
  return [
    { ...secret, purpose: 'secret' },
    { ...token, purpose: 'token' },
  ]
}

/** One sentence for the log and `doctor`. */
export function differingKey(setting: string): string {
  return `${setting} differs from the key that was last in use. If you replaced that key, restart the processes that still have it; this message ends five minutes after the last of them has stopped. Otherwise this process missed a step of a rotation: give it the keys of the others and restart it`
}

/** The purposes whose key in use this process does not accept: it refuses what the others derive or sign. */
export async function findUnacceptedKeys(
  db: Db,
  keys: readonly OwnKeys[],
  nowMs: number,
): Promise<OwnKeys[]> {
  const rows = await db.selectFrom('keys_in_use').selectAll().execute()
  return keys.filter((own) => {
    const row = rows.find(({ purpose }) => purpose === own.purpose)
    return row !== undefined && !own.accepted.includes(row.key_id) && !isUnused(row, nowMs)
  })
}

/**
 * Records the key of this process as the one in use, unless other processes use another: a rotation moves
 * on from an accepted key, and never back to the former one. Returns the id of one that it does not accept,
 * also one that was in use before and that it replaces.
 */
export async function registerKey(
  tx: Tx,
  { purpose, current, accepted }: OwnKeys,
  nowMs: number,
): Promise<string | undefined> {
  const seen_at = toIso(nowMs)
  await tx
    .insertInto('keys_in_use')
    .values({ purpose, key_id: current, former_key_id: null, seen_at })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await tx
    .selectFrom('keys_in_use')
    .selectAll()
    .where('purpose', '=', purpose)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const isAccepted = accepted.includes(row.key_id)
  const movesOn = isAccepted && row.key_id !== current && row.former_key_id !== current
  if (row.key_id === current || movesOn || isUnused(row, nowMs)) {
    const former = row.key_id === current ? {} : { former_key_id: row.key_id }
    await tx
      .updateTable('keys_in_use')
      .set({ key_id: current, ...former, seen_at })
      .where('purpose', '=', purpose)
      .execute()
  }
  return isAccepted ? undefined : row.key_id
}

function isUnused(row: Selectable<KeysInUseTable>, nowMs: number): boolean {
  // Also a time from a clock that ran ahead.
  return Math.abs(nowMs - Date.parse(row.seen_at)) >= UNUSED_AFTER_MS
}
