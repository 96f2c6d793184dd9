import { type Config, configWarnings, keyWarnings } from '../settings/config.ts'
import type { Backend, Db } from '../database/connect.ts'
import type { SchemaState } from '../database/migrate.ts'
import { findSequencesBehind } from '../database/sequences.ts'
import { differingKey, findUnacceptedKeys, type OwnKeys } from '../keys/keys-in-use.ts'
import { SECOND_MS } from '../lib/units.ts'
import { hasTrigrams, NO_TRIGRAMS } from './search-indexes.ts'
import { hasActiveAdmin } from './users.ts'

// What `doctor` and `GET /settings` look at. Nothing here changes anything.

const SKEW_MAX_MS = 5 * SECOND_MS

/** One sentence of what was found and, unless it is `ok`, what to do. It names settings, never their values. */
export interface Finding {
  readonly severity: 'ok' | 'warning' | 'error'
  readonly detail: string
}

const ok = (detail: string): Finding => ({ severity: 'ok', detail })
const warning = (detail: string): Finding => ({ severity: 'warning', detail })
const failure = (detail: string): Finding => ({ severity: 'error', detail })

export function examineSettings(
  config: Config,
  keys: Parameters<typeof keyWarnings>[0],
): readonly Finding[] {
  return [ok('settings'), ...[...configWarnings(config), ...keyWarnings(keys)].map(warning)]
}

export function examineClock(databaseNowMs: number, nowMs: number): Finding {
  const skewMs = Math.abs(databaseNowMs - nowMs)
  const detail = `clock, ${Math.round(skewMs)} ms off the database clock`
  if (skewMs <= SKEW_MAX_MS) return ok(detail)
  return failure(`${detail}; synchronise the clocks of both machines, for example by NTP`)
}

export function examineSchema({ pending, newer }: SchemaState): readonly Finding[] {
  const list = pending.join(', ')
  return [
    ...(newer.length > 0
      ? [warning(`a newer version has migrated the database: ${newer.join(', ')}`)]
      : []),
    pending.length === 0
      ? ok('migrations')
      : failure(
          `migrations pending: ${list}; npm start (with MIGRATE=on) or npm run migrate applies them`,
        ),
  ]
}

export interface Examined {
  readonly db: Db
  readonly dialect: Backend['dialect']
  readonly ownKeys: readonly OwnKeys[]
  readonly nowMs: number
}

/** What is looked at once all migrations are applied, in this order: a few look-ups each. */
export const EXAMINATIONS: readonly ((examined: Examined) => Promise<readonly Finding[]>)[] = [
  examineSequences,
  examineKeys,
  examineSearch,
  examineAdmins,
]

async function examineSequences({ db, dialect }: Examined): Promise<readonly Finding[]> {
  const behind = await findSequencesBehind({ reader: db, dialect })
  if (behind.length === 0) return [ok('ids')]
  return behind.map(({ table, remedy }) =>
    failure(
      `new rows of ${table} would get ids that were used; npm start (with MIGRATE=on) mends it, or: ${remedy}`,
    ),
  )
}

async function examineKeys({ db, ownKeys, nowMs }: Examined): Promise<readonly Finding[]> {
  const unaccepted = await findUnacceptedKeys(db, ownKeys, nowMs)
  const differs = (purpose: OwnKeys['purpose']) =>
    unaccepted.find((found) => found.purpose === purpose)?.setting
  const [secret, token] = [differs('secret'), differs('token')]
  return [
    secret === undefined ? ok('keys') : failure(differingKey(secret)),
    // A worker needs none of these keys.
    ...(token !== undefined && token !== secret
      ? [warning(`access tokens: ${differingKey(token)}`)]
      : []),
  ]
}

async function examineSearch({ db }: Examined): Promise<readonly Finding[]> {
  return (await hasTrigrams(db)) ? [] : [warning(NO_TRIGRAMS)]
}

async function examineAdmins({ db }: Examined): Promise<readonly Finding[]> {
  return [
    (await hasActiveAdmin(db))
      ? ok('an active admin')
      : warning('no admin yet: npm run cli -- users create <email> --role admin'),
  ]
}
