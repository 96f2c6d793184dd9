import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, unprivilegedUser } from './cluster.ts'
import { absent, startDebianProgram } from './programs.ts'

export const missing = absent('pgbouncer')

/** Fewer than a process has, so that transactions do change connections. */
const SERVER_CONNECTIONS = 3

/** Debian's PgBouncer in front of the server of `url`, with its defaults but for the mode of its pools. */
export async function startPgbouncer(
  url: string,
  poolMode: 'session' | 'transaction' | 'statement',
) {
  const target = new URL(url)
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-pgbouncer-'))
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const users = join(folder, 'userlist.txt')
  const config = join(folder, 'pgbouncer.ini')
  writeFileSync(users, `"${target.username}" "${target.password}"\n`)
  const lines = [
    '[databases]',
    `* = host=${target.hostname} port=${target.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    `unix_socket_dir = ${folder}`,
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    `pool_mode = ${poolMode}`,
    // In session mode, each connection of a process needs one of its own.
    `default_pool_size = ${poolMode === 'session' ? 100 : SERVER_CONNECTIONS}`,
    'max_client_conn = 200',
  ]
  writeFileSync(config, lines.join('\n'))
  if (user !== undefined)
    for (const path of [folder, users, config]) chownSync(path, user.uid, user.gid)
  const start = () => startDebianProgram('pgbouncer', [config], { port, ...(user && { user }) })
  let program = await start()
  const pooled = new URL(url)
  pooled.port = String(port)
  return {
    /** The same database, by way of the pooler. */
    url: pooled.href,
    /** The same over its socket, as psql takes it. */
    socketUrl: `postgresql://${target.username}:${target.password}@${target.pathname}?host=${folder}&port=${port}`,
    kill: () => program.stop(),
    /** After `kill`. */
    async restart() {
      program = await start()
    },
    async [Symbol.asyncDispose]() {
      await program.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
