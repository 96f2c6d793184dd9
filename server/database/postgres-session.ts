import pg from 'pg'
import { UnsuitableDatabaseError } from './problems.ts'

export interface Session {
  /**
   * Between us and the server is a pooler, which may give each transaction another connection to the
   * server: nothing that is set on one, or prepared, is there for the next.
   */
  readonly pooled: boolean
  /** Where `lower()` leaves Ä as it is. */
  readonly asciiOnly: boolean
  readonly standby: boolean
  readonly readOnly: boolean
}

/** As pg's; its overloads are not worth repeating. */
export type Query = (query: any, values?: readonly unknown[]) => Promise<any>

/** Sends what every pooler accepts, and nothing from variables such as PGOPTIONS. */
export class Client extends pg.Client {
  getStartupConf(): object {
    const { user, database, application_name } = (this as any).connectionParameters
    return { user, database, application_name }
  }
}

/**
 * Ends a login without channel binding (RFC 5929 section 4.1) before the password, or a proof of it,
 * is sent: somebody in between could use it.
 */
export function requireChannelBinding(client: pg.Client): void {
  const { connection } = client
  function refuse(): void {
    connection.emit('error', new Error('the server offers no channel binding'))
    connection.stream.destroy()
  }
  connection.once('authenticationCleartextPassword', refuse)
  connection.once('authenticationMD5Password', refuse)
  connection.once('authenticationSASLContinue', () => {
    const { saslSession } = client as unknown as { saslSession: { mechanism: string } }
    if (saslSession.mechanism !== 'SCRAM-SHA-256-PLUS') refuse()
  })
  // pg verifies that it ends what was begun.
  connection.once('authenticationSASLFinal', () => connection.off('authenticationOk', refuse))
  connection.once('authenticationOk', refuse)
}

/**
 * What the service relies on, whatever the server, the database or the role says: times are read as
 * ISO dates in UTC. Timeouts of 0 mean none.
 */
function settingsOf(statementTimeoutMs: number): [name: string, value: string][] {
  return [
    ['client_encoding', 'UTF8'],
    ['standard_conforming_strings', 'on'],
    ['datestyle', 'ISO'],
    ['timezone', 'UTC'],
    ['statement_timeout', `${statementTimeoutMs}`],
    ['idle_in_transaction_session_timeout', `${2 * statementTimeoutMs}`],
  ]
}

/**
 * Makes a new connection independent of its surroundings, in one round trip. A pooler's connection is
 * left as it is, for others use it, too: there `throughPooler` sets what each transaction needs.
 */
export async function prepareSession(
  client: pg.ClientBase,
  statementTimeoutMs: number,
): Promise<Session> {
  // A pooler has a key of its own for each client, instead of the server's process.
  const { processID: pid } = client as unknown as { processID: number | null }
  const set = [
    ...settingsOf(statementTimeoutMs),
    ['default_transaction_isolation', 'read committed'],
  ]
    .map(([name, value]) => `set_config('${name}', '${value}', false)`)
    .join(', ')
  const { rows } = await client.query(`
    select pg_backend_pid() <> ${Number(pid)} as pooled,
      pg_is_in_recovery() as standby,
      current_setting('transaction_read_only') = 'on' as read_only,
      current_setting('server_encoding') as encoding,
      lower(letter) = letter as ascii,
      case when pg_backend_pid() = ${Number(pid)} then concat(${set}) end
    from (select chr(case current_setting('server_encoding') when 'UTF8' then 196 else 65 end) as letter) as probe`)
  const [{ pooled, standby, read_only: readOnly, encoding, ascii: asciiOnly }] = rows
  if (encoding !== 'UTF8') {
    throw new UnsuitableDatabaseError(
      `the encoding of the database is ${encoding}, and must be UTF8: create another with createdb --encoding=UTF8 --template=template0, and copy the data with pg_dump`,
    )
  }
  return { pooled, asciiOnly, standby, readOnly }
}

/**
 * Gives every statement the session's settings through a pooler that knows only transactions: they
 * begin with them, and a statement on its own becomes a transaction, for two more round trips.
 */
export function throughPooler(send: Query, statementTimeoutMs: number): Query {
  const local = settingsOf(statementTimeoutMs).map(
    ([name, value]) => `set local ${name} = '${value}'`,
  )
  const begin = ['begin isolation level read committed', ...local].join('; ')
  let inTransaction = false
  /** Also where only a part of `begin` succeeded. Where the connection is lost, there is nothing to roll back. */
  async function orRollBack<T>(answer: Promise<T>): Promise<T> {
    return answer.catch(async (error: unknown) => {
      await send('rollback').catch(() => {})
      throw error
    })
  }
  return async (query, values) => {
    if (inTransaction) {
      inTransaction = query !== 'commit' && query !== 'rollback'
      return send(query, values)
    }
    const begun = await orRollBack(send(begin))
    inTransaction = query === 'begin'
    if (inTransaction) return begun
    const answer = await orRollBack(send(query, values))
    // Refused where the budget is spent.
    await orRollBack(send('commit'))
    return answer
  }
}
