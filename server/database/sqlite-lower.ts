import type { DatabaseSync } from 'node:sqlite'

/** SQLite’s own lower() folds ASCII only; searches must find `Élodie` by `élo` as PostgreSQL does. */
export function defineLower(handle: DatabaseSync): void {
  handle.function('lower', { deterministic: true }, (text) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  )
}
