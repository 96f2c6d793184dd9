import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Selectable } from 'kysely'
import type { OutboxTable } from '../../server/database/schema.ts'
import { openDatabase } from '../../server/database/open.ts'
import { databaseUrl } from '../../server/database/url.ts'
import { CERTIFICATE } from './certificate.ts'
import { createDatabase } from './cluster.ts'
import { askPatiently } from './ask.ts'
import { temporaryFolder } from './process.ts'
import { PASSWORD } from './service.ts'
import { startServer } from './server-process.ts'
import { type Received, startSmtpServer } from './smtp-server.ts'

const TABLES = ['users', 'sign_ups', 'outbox', 'code_failures', 'jobs', 'audit_events'] as const

export type DatabaseKind = 'sqlite' | 'postgres'
export type Shop = Awaited<ReturnType<typeof startShop>>
type Mailed = Selectable<OutboxTable>

let databases = 0

/** A service as a process of its own, and the SMTP server that it sends by. */
export async function startShop(kind: DatabaseKind, settings: Record<string, string> = {}) {
  const folder = temporaryFolder()
  const authority = join(folder.path, 'authority.pem')
  writeFileSync(authority, CERTIFICATE)
  const url =
    kind === 'sqlite'
      ? `sqlite:///${join(folder.path, 'app.db')}`
      : await createDatabase(
          process.env['TEST_POSTGRES_URL'] ?? '',
          `mail_${process.pid}_${++databases}`,
        )
  const login = { user: 'shop', password: 'canary-smtp-password' }
  const smtp = await startSmtpServer({ login })
  const server = await startServer({
    DATABASE_URL: url,
    MAIL_URL: smtp.url(),
    MAIL_FROM: 'Coffee Shop <shop@example.com>',
    NODE_EXTRA_CA_CERTS: authority,
    RATE_LIMIT: 'off',
    ...settings,
  })
  /** The attempt of each address whose sign-up was answered 201. */
  const acknowledged = new Map<string, string>()

  /** Signs an address up; returns how many milliseconds that took. */
  async function signUp(email: string): Promise<number> {
    const startedAt = performance.now()
    const { status, body } = await post('/auth/signup', { email, password: PASSWORD })
    const ms = performance.now() - startedAt
    assert.equal(status, 201, JSON.stringify(body))
    acknowledged.set(email, body.sign_up_id)
    return ms
  }
  const post = (path: string, body: unknown) => askPatiently(server.url, path, body)
  async function read<T>(
    query: (db: Awaited<ReturnType<typeof openDatabase>>['reader']) => Promise<T>,
  ): Promise<T> {
    const backend = await openDatabase(databaseUrl(url))
    try {
      return await query(backend.reader)
    } finally {
      await backend.close()
    }
  }

  return {
    smtp,
    login,
    url: server.url,
    pid: server.pid,
    lines: server.lines,
    ended: server.ended,
    acknowledged,
    signUp,
    post,
    /** The verification mails in the outbox. */
    mails: (): Promise<Mailed[]> =>
      read((db) =>
        db.selectFrom('outbox').selectAll().where('kind', '=', 'verification').execute(),
      ),
    /** Every row of every table that has to do with mail, as text. */
    dump: () =>
      read(async (db) => {
        const rows = TABLES.map((table) => db.selectFrom(table).selectAll().execute())
        return JSON.stringify(await Promise.all(rows))
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await smtp[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** The code in a mail as it was on the wire. */
export function codeIn({ raw }: Received): string {
  const code = /verification code is (\d{6})\b/.exec(raw)?.[1]
  assert.ok(code, raw)
  return code
}
