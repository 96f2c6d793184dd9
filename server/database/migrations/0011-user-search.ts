import { type Kysely, sql } from 'kysely'

/** Indexes for a search by a part of the address or the name, and by their beginning. */
export async function up(db: Kysely<any>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await (dialect === 'postgres' ? upPostgres(db) : upSqlite(db))
}

async function upPostgres(db: Kysely<any>): Promise<void> {
  await sql`create index users_email_prefix on users (email_canonical text_pattern_ops)`.execute(db)
  await sql`
    create index users_name_prefix on users (lower(full_name) text_pattern_ops)
    where full_name is not null`.execute(db)
  // The extension is missing where it is not installed or this user may not create it. The search
  // is then by the beginning only, until the statements of the runbook are executed.
  await sql`
    do $$
    declare place regnamespace;
    begin
      create extension if not exists pg_trgm;
      select extnamespace::regnamespace into place from pg_extension where extname = 'pg_trgm';
      execute format('create index users_search on users using gin
        (email_canonical %1$s.gin_trgm_ops, lower(full_name) %1$s.gin_trgm_ops) with (fastupdate = off)', place);
    exception when insufficient_privilege or undefined_file or undefined_object or feature_not_supported then
      null;
    end $$`.execute(db)
  // The settings of a function are the only hint that PostgreSQL takes: without them it scans the table
  // for a text of which it expects many, and finds none (0.2 s of a million users). The body is text,
  // because the name of the table depends on the search path.
  const settings = sql.raw(
    'stable set enable_seqscan = off set enable_indexscan = off set jit = off rows 1000',
  )
  await sql`
    create function users_with_text(email_pattern text, name_pattern text, most integer)
    returns setof users language sql ${settings} as $$
      select * from users
      where email_canonical like email_pattern or lower(full_name) like name_pattern
      limit most
    $$`.execute(db)
  await sql`
    create function users_with_prefix(email_prefix text, name_prefix text, most integer)
    returns setof users language sql ${settings} as $$
      select * from users
      where (email_canonical ~>=~ email_prefix and email_canonical ~<~ (email_prefix || chr(1114111)))
      or (full_name is not null
        and lower(full_name) ~>=~ name_prefix and lower(full_name) ~<~ (name_prefix || chr(1114111)))
      limit most
    $$`.execute(db)
}

async function upSqlite(db: Kysely<any>): Promise<void> {
  await sql`create index users_name on users (full_name) where full_name is not null`.execute(db)
  // It keeps no copy of the texts. Without positions it takes 38 MB for a million users instead of 114:
  // it finds candidates, whose texts are compared.
  await sql`
    create virtual table users_search using fts5 (
      email_canonical, full_name,
      content = 'users', content_rowid = 'id', tokenize = 'trigram', detail = 'none', columnsize = 0
    )`.execute(db)
  // Merging 4 segments at a time, the default, doubles the cost of an insert.
  await sql`insert into users_search (users_search, rank) values ('automerge', 16)`.execute(db)
  await sql`insert into users_search (users_search, rank) values ('crisismerge', 64)`.execute(db)
  // A write merges up to some hundred pages, and the event loop waits: with pages of 4 kB for 25 ms.
  await sql`insert into users_search (users_search, rank) values ('pgsz', 1000)`.execute(db)
  await sql`
    insert into users_search (rowid, email_canonical, full_name)
    select id, email_canonical, full_name from users`.execute(db)
  // Into one segment, which later merges leave alone: of a million users it would take some write 0.4 s.
  await sql`insert into users_search (users_search) values ('optimize')`.execute(db)
  // Triggers, because processes of the previous version write users, too.
  const add = sql`
    insert into users_search (rowid, email_canonical, full_name)
    values (new.id, new.email_canonical, new.full_name);`
  const remove = sql`
    insert into users_search (users_search, rowid, email_canonical, full_name)
    values ('delete', old.id, old.email_canonical, old.full_name);`
  await sql`create trigger users_search_insert after insert on users begin ${add} end`.execute(db)
  await sql`create trigger users_search_delete after delete on users begin ${remove} end`.execute(
    db,
  )
  await sql`
    create trigger users_search_update after update of email_canonical, full_name on users
    when old.email_canonical <> new.email_canonical or old.full_name is not new.full_name
    begin ${remove} ${add} end`.execute(db)
}
