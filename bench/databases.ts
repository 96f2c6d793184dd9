import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createDatabase, query, startCluster } from '../test/support/cluster.ts'

export type Engine = 'sqlite' | 'postgres'

export interface Database {
  readonly engine: Engine
  /** For DATABASE_URL. */
  readonly url: string
  /** The working folder of its server. */
  readonly folder: string
  run(sql: string): Promise<void>
  /** Runs an insert of many users without indexes and triggers, which are then built anew. */
  fillUsers(insert: string): Promise<void>
}

export interface Databases {
  create(engine: Engine, name: string): Promise<Database>
  stop(): Promise<void>
}

/** SQLite files, and databases of a PostgreSQL of our own, which syncs each commit to the disk. */
export async function startDatabases(engines: readonly Engine[]): Promise<Databases> {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-bench-'))
  const cluster = engines.includes('postgres') ? await startCluster({ durable: true }) : undefined
  const discard = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', discard)
  let created = 0
  return {
    async create(engine, name) {
      const own = join(folder, `${name}_${++created}`)
      mkdirSync(own)
      chmodSync(own, 0o700)
      if (engine === 'sqlite' || cluster === undefined) return sqlite(own)
      const url = await createDatabase(cluster.url, `${name}_${created}`)
      const run = async (sql: string) => void (await query(url, sql))
      return { engine, url, folder: own, run, fillUsers: (insert) => run(fillOnPostgres(insert)) }
    },
    async stop() {
      await cluster?.stop()
      discard()
    },
  }
}

function sqlite(folder: string): Database {
  const path = join(folder, 'app.db')
  return {
    engine: 'sqlite',
    url: `sqlite:///${path}`,
    folder,
    async run(sql) {
      using database = new DatabaseSync(path, { timeout: 10_000 })
      database.exec(sql)
    },
    async fillUsers(insert) {
      using database = new DatabaseSync(path, { timeout: 10_000 })
      fillOnSqlite(database, insert)
    },
  }
}

/** Index by index, a million users would take minutes. */
function fillOnSqlite(database: DatabaseSync, insert: string): void {
  const built = database
    .prepare(
      "select type, name, sql from sqlite_schema where tbl_name = 'users' and type in ('index', 'trigger') and sql is not null",
    )
    .all()
  database.exec('pragma synchronous = off; pragma cache_size = -200000; begin immediate')
  for (const { type, name } of built) database.exec(`drop ${String(type)} ${String(name)}`)
  database.exec(insert)
  for (const { sql } of built) database.exec(String(sql))
  database.exec("insert into users_search (users_search) values ('rebuild')")
  database.exec('commit; analyze; pragma wal_checkpoint(truncate)')
}

function fillOnPostgres(insert: string): string {
  return `
    set maintenance_work_mem = '512MB';
    create temporary table built as select indexname, indexdef from pg_indexes
      where tablename = 'users' and indexname not in (select conname from pg_constraint);
    do $$ declare one record; begin
      for one in select * from built loop execute 'drop index ' || one.indexname; end loop;
    end $$;
    ${insert};
    do $$ declare one record; begin
      for one in select * from built loop execute one.indexdef; end loop;
    end $$;
    drop table built;
    analyze users`
}

/** `with recursive … select n from numbers`, which both engines read. */
export function numbers(count: number, from = 1): string {
  return `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${from + count - 1})`
}

/** A time as a value of the column's type. */
export function timeLiteral({ engine }: Pick<Database, 'engine'>, ms: number): string {
  const text = `'${new Date(ms).toISOString()}'`
  return engine === 'postgres' ? `cast(${text} as timestamptz)` : text
}
