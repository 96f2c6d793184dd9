import { sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import { networkOf } from '../lib/networks.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { Channel } from './kind.ts'

/** Bounds the cost: a flood shows in a sample. */
const SAMPLE = 1000
const NAMED = 3

/** The highest numbers of messages first. */
export interface Heaviest {
  readonly networks: readonly { readonly network: string; readonly messages: number }[]
  readonly users: readonly { readonly user_id: number; readonly messages: number }[]
}

/**
 * The networks and user ids behind most of the messages that are due, and of the sign-up mail that was sent
 * in the last hour; of a sample, and never an email address.
 */
export async function findHeaviest(db: Db, channel: Channel, nowMs: number): Promise<Heaviest> {
  const waiting = await ofSignUps(db)
    .where('outbox.finished_at', 'is', null)
    .where('outbox.channel', '=', channel)
    .where('outbox.due_at', '<=', toIso(nowMs))
    .orderBy('outbox.due_at')
    .execute()
  const sent = await ofSignUps(db)
    .where('outbox.line', '=', 'sign_ups')
    .where('outbox.channel', '=', channel)
    // Literal: SQLite uses a partial index only for the exact condition of its definition.
    .where(sql<boolean>`outbox.state = 'sent'`)
    .where('outbox.finished_at', '>', toIso(nowMs - HOUR_MS))
    .orderBy('outbox.finished_at')
    .execute()
  const rows = [...waiting, ...sent]
  const networks = topOf(rows.map((row) => [row.id, networkBehind(row)]))
  const users = topOf(rows.map((row) => [row.id, row.user_id ?? undefined]))
  return {
    networks: networks.map(([network, messages]) => ({ network, messages })),
    users: users.map(([user_id, messages]) => ({ user_id, messages })),
  }
}

function ofSignUps(db: Db) {
  return db
    .selectFrom('outbox')
    .leftJoin('sign_ups', 'sign_ups.user_id', 'outbox.user_id')
    .select(['outbox.id', 'outbox.user_id', 'outbox.payload', 'sign_ups.ip'])
    .limit(SAMPLE)
}

/** As of the request, which is in the payload until the message is sent, or as of a pending sign-up. */
function networkBehind({ payload, ip }: { payload: string; ip: string | null }) {
  const known = /"ip":"([^"]+)"/.exec(payload)?.[1] ?? ip
  return known === null ? undefined : networkOf(known)
}

/** A row appears once for each pending sign-up of its user, and counts once. */
function topOf<Key>(rows: readonly (readonly [id: string, key: Key | undefined])[]) {
  const messages = new Map<Key, Set<string>>()
  for (const [id, key] of rows)
    if (key !== undefined) messages.set(key, (messages.get(key) ?? new Set()).add(id))
  return [...messages]
    .map(([key, ids]) => [key, ids.size] as const)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, NAMED)
}
