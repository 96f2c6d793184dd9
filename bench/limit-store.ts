import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

export type Row = Readonly<Record<string, unknown>>

/** Prepared statements of the limit, whose tables have only what the statements need. */
export interface Store {
  prepare(name: string, sql: string): (...values: (string | number | null)[]) => Promise<Row[]>
  /** One durable commit of a user and a mail to it. */
  readonly signUp: (email: string, hash: string, at: string) => Promise<void>
}

const TABLES = `
  create table users (id ID, email text not null unique, full_name text, phone text,
    role text not null, verified_at text, disabled_at text, created_at text not null,
    updated_at text not null, password_hash text);
  create table sessions (id text primary key, user_id integer not null, generation integer not null,
    created_at text not null, expires_at text not null, revoked_at text, ip text, user_agent text);
  create table mails (id ID, user_id integer not null, kind text not null, payload text not null,
    created_at text not null);
  create table reads (user_id integer not null, ip text not null, pages integer not null,
    primary key (user_id, ip));
  insert into reads values (1, '127.0.0.1', 0)`
const USER = `insert into users (email, role, password_hash, created_at, updated_at) values (?, 'user', ?, ?, ?) returning id`
const MAIL = `insert into mails (user_id, kind, payload, created_at)`

export async function openStore(url: string): Promise<Store> {
  const { pathname, protocol } = new URL(url)
  return protocol === 'sqlite:' ? openSqlite(pathname.slice(1)) : await openPostgres(url)
}

function openSqlite(path: string): Store {
  const database = new DatabaseSync(path, { timeout: 10_000 })
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  database.exec(TABLES.replaceAll('ID', 'integer primary key'))
  const user = database.prepare(USER)
  const mail = database.prepare(`${MAIL} values (?, 'code', '{}', ?)`)
  return {
    prepare(_name, sql) {
      const statement = database.prepare(sql)
      return async (...values) => statement.all(...values)
    },
    async signUp(email, hash, at) {
      database.exec('begin immediate')
      mail.run(Number(user.get(email, hash, at, at)?.['id']), at)
      database.exec('commit')
    },
  }
}

async function openPostgres(url: string): Promise<Store> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(TABLES.replaceAll('ID', 'integer generated always as identity primary key'))
  const prepare: Store['prepare'] = (name, sql) => {
    let at = 0
    const text = sql.replaceAll('?', () => `$${++at}`)
    return async (...values) => (await pool.query<Row>({ name, text, values })).rows
  }
  const both = prepare(
    'sign_up',
    `with added as (${USER}) ${MAIL} select id, 'code', '{}', ? from added`,
  )
  return {
    prepare,
    async signUp(email, hash, at) {
      await both(email, hash, at, at, at)
    },
  }
}
