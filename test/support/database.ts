import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createDatabase, dropDatabase, query } from './cluster.ts'

/** The databases' names in scripts/test.ts. */
export const TEMPLATE = 'template_coffee_shop'

/** Which database this run is about. scripts/test.ts runs the suite once for each. */
export const DATABASE = process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite'

const MEMORY = '/dev/shm'
/** A container has 64 MB of it by default; the largest test writes some 20 MB. */
const MEMORY_MIN_BYTES = 256 * 1024 * 1024

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/**
 * A database of its own for one test: migrated (copied from the template of this run), or if
 * `migrated` is false empty on PostgreSQL and absent on SQLite.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  if (DATABASE === 'sqlite') return createFile({ migrated })
  return migrated ? lease() : create()
}

function createFile({ migrated }: { migrated: boolean }): TestDatabase {
  const template = process.env['TEST_SQLITE_TEMPLATE']
  const parent = template === undefined ? filesFolder() : dirname(template)
  const folder = mkdtempSync(join(parent, 'coffee-shop-test-'))
  if (migrated && template !== undefined) copyFileSync(template, join(folder, 'app.db'))
  return {
    url: `sqlite:///${join(folder, 'app.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Where a file costs no disk: SQLite syncs at every commit, and no quick test cuts the power. */
export function filesFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize > MEMORY_MIN_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}

function serverUrl(): string {
  const url = process.env['TEST_POSTGRES_URL']
  if (url === undefined)
    throw new Error('TEST_POSTGRES_URL is missing: run npm test, which sets it')
  return url
}

async function create(template?: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  return {
    url: await createDatabase(serverUrl(), name, template),
    drop: () => dropDatabase(serverUrl(), name),
  }
}

/** Emptied, and waiting for the next test: to copy the template costs 140 ms, to empty a database 5. */
const returned: TestDatabase[] = []
/** Of the first copy: a connection to the template itself would keep others from copying it. */
let schema: Promise<string> | undefined

async function lease(): Promise<TestDatabase> {
  const database = returned.pop() ?? (await create(TEMPLATE))
  schema ??= schemaOf(database.url).catch((error: unknown) => {
    schema = undefined
    throw error
  })
  const before = await schema
  return {
    url: database.url,
    async drop() {
      // What a test did to the schema would meet the next one, if the database is there at all.
      const emptied = await query(database.url, EMPTY).then(
        () => schemaOf(database.url),
        () => '',
      )
      if (emptied === before) returned.push(database)
      else await database.drop()
    },
  }
}

async function schemaOf(url: string): Promise<string> {
  const [row] = await query(url, SCHEMA)
  return row.schema
}

/** Columns, defaults, indexes, constraints, triggers, functions and settings as one text, with the list of migrations. */
const SCHEMA = `
select md5(concat(
  (select string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid::regtype, atttypmod, attnotnull, attisdropped), ','
     order by attrelid, attnum)
   from pg_attribute where attrelid >= 16384 and attrelid::regclass::text !~ '^pg_'),
  (select string_agg(pg_get_expr(adbin, adrelid), ',' order by oid) from pg_attrdef where adrelid >= 16384),
  (select string_agg(pg_get_indexdef(indexrelid), ',' order by indexrelid) from pg_index where indexrelid >= 16384),
  (select string_agg(pg_get_triggerdef(oid) || tgenabled::text, ',' order by oid) from pg_trigger where not tgisinternal),
  (select string_agg(pg_get_constraintdef(oid), ',' order by oid) from pg_constraint where oid >= 16384),
  (select string_agg(pg_get_functiondef(oid), ',' order by oid) from pg_proc where oid >= 16384 and prokind = 'f'),
  (select string_agg(setconfig::text, ',') from pg_db_role_setting),
  (select string_agg(name, ',' order by name) from coffee_shop_migrations)
)) as schema`

/** What a test left running ends first, else it would write into the next test's database. */
const EMPTY = `
select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid != pg_backend_pid();
do $$
declare
  one record;
begin
  for one in select oid::regclass as name, relkind from pg_class
    where relkind in ('r', 'S') and relnamespace = 'public'::regnamespace and relname !~ '^(coffee_shop|schema)_migrations'
  loop
    if one.relkind = 'S' then perform setval(one.name, 1, false);
    else execute 'delete from ' || one.name;
    end if;
  end loop;
end $$`
