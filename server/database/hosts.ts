import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { sqlState } from './outages.ts'
import { type PostgresRoute, type PostgresUrl, routesOf } from './postgres-url.ts'
import { UnsuitableDatabaseError } from './problems.ts'

type Open = (route: PostgresRoute) => Promise<pg.Client>

/** A host that has not answered by then is waited for together with the next one. */
const HEAD_START_MS = 250
const SQLSTATE = /^[\dA-Z]{5}$/
const REFUSED_BY_HBA = '28000'

/**
 * Connects to the first host that `open` accepts, and begins with it the next time. Hosts are tried
 * beside each other, so that one that swallows packets does not use up the time of the others, and a
 * slow one is not given up.
 */
export function connectToHosts(url: PostgresUrl, open: Open): () => Promise<pg.Client> {
  const hosts = [...Map.groupBy(routesOf(url), ({ host, port }) => `${host}:${port}`).values()]
  let first = 0
  const attempt = async (at: number) => ({ at, client: await openOneOf(hosts[at] ?? [], open) })

  return async () => {
    const attempts: ReturnType<typeof attempt>[] = []
    for (let turn = 0; turn < hosts.length; turn++) {
      attempts.push(attempt((first + turn) % hosts.length))
      const connected = Promise.any(attempts).then(
        () => true,
        () => false,
      )
      if (await Promise.race([connected, delay(HEAD_START_MS, false, { ref: false })])) break
    }
    const winner = await Promise.any(attempts).catch((error: AggregateError) => {
      throw hosts.length > 1 ? allOf(error.errors) : error.errors[0]
    })
    first = winner.at
    for (const other of attempts) {
      const end = async ({ client }: Awaited<typeof other>) => {
        if (client !== winner.client) await client.end()
      }
      other.then(end).catch(() => {})
    }
    return winner.client
  }
}

/** Encrypted or not, in the order of `sslmode`; a host is asked again only where that can be the reason. */
async function openOneOf(routes: readonly PostgresRoute[], open: Open): Promise<pg.Client> {
  let last: unknown
  for (const route of routes) {
    try {
      return await open(route)
    } catch (error) {
      if (!isOfEncryption(error)) throw error
      last = error
    }
  }
  throw last
}

/** Not that the host cannot be reached, and of what a server says only that pg_hba.conf refuses. */
function isOfEncryption(error: unknown): boolean {
  if (error instanceof UnsuitableDatabaseError) return false
  const isOfSystem = (error as NodeJS.ErrnoException).syscall !== undefined
  const state = sqlState(error)
  return !isOfSystem && (!SQLSTATE.test(state) || state === REFUSED_BY_HBA)
}

/** One error with the reason of each host. */
function allOf(errors: readonly Error[]): AggregateError {
  return new AggregateError(errors, errors.map(({ message }) => message).join('; '))
}
