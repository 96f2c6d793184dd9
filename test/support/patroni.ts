import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { parse, stringify } from 'yaml'
import { freePort } from './cluster.ts'
import { startDebianProgram } from './programs.ts'
import { until } from './until.ts'

/** Debian's, which Patroni manages; it refuses to run as root. */
const BIN = '/usr/lib/postgresql/15/bin'
const NOBODY = { uid: 65_534, gid: 65_534 }
const PASSWORD = 'patroni'

interface Node {
  readonly name: string
  readonly port: number
  readonly restPort: number
  readonly data: string
}

export type Patroni = Awaited<ReturnType<typeof startPatroni>>

/** Two nodes with synchronous replication, etcd, and haproxy in front, which follows the primary. */
export async function startPatroni() {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-patroni-'))
  if (process.getuid?.() === 0) chownSync(folder, NOBODY.uid, NOBODY.gid)
  const home = { user: NOBODY, cwd: folder }
  await using started = new AsyncDisposableStack()
  started.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const etcdPort = await startEtcd(started, home)
  const nodes: Node[] = []
  for (const name of ['one', 'two']) {
    const [port, restPort] = [await freePort(), await freePort()]
    const node = { name, port, restPort, data: join(folder, name) }
    started.defer(() => killPostmaster(node))
    const file = join(folder, `${name}.yaml`)
    writeFileSync(file, configOf(node, { etcdPort, folder }))
    started.use(await startDebianProgram('patroni', [file], { ...home, port: restPort }))
    nodes.push(node)
    // The first makes the cluster, the second copies it.
    await until(`Patroni's node ${name}`, () => answers(node, name === 'one' ? 'primary' : 'sync'))
  }
  const proxyPort = await freePort()
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, haproxyOf(nodes, proxyPort))
  started.use(await startDebianProgram('haproxy', ['-f', file], { ...home, port: proxyPort }))
  const owned = started.move()

  const find = async (role: 'primary' | 'sync') => {
    for (const node of nodes) if (await answers(node, role)) return node
    return undefined
  }
  async function settled(): Promise<{ primary: Node; standby: Node }> {
    await until(
      'a primary with a synchronous standby',
      async () => (await find('sync')) !== undefined,
    )
    const [primary, standby] = [await find('primary'), await find('sync')]
    if (primary === undefined || standby === undefined) return settled()
    return { primary, standby }
  }
  return {
    /** Of the server that takes writes; of each node, and of haproxy. */
    url: (database: string) => urlOf(nodes, database),
    proxyUrl: (database: string) => urlOf([{ port: proxyPort }], database),
    nodeUrl: ({ port }: Node, database: string) => urlOf([{ port }], database),
    settled,
    async switchOver(): Promise<Node> {
      const { primary, standby } = await settled()
      const answer = await fetch(`http://127.0.0.1:${primary.restPort}/switchover`, {
        method: 'POST',
        body: JSON.stringify({ leader: primary.name, candidate: standby.name }),
      })
      if (!answer.ok) throw new Error(`no switch-over: ${await answer.text()}`)
      return standby
    },
    /** As a crash of the primary's machine, which Patroni does not start again by itself. */
    async killPrimary(): Promise<Node> {
      const { primary, standby } = await settled()
      killPostmaster(primary)
      return standby
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Resolves to when a server took its first write, by `performance.now()`. */
export async function firstWrite(url: string): Promise<number> {
  let writtenAt = 0
  await until('a write', async () => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('create table if not exists first_write (); drop table first_write')
      writtenAt = performance.now()
      return true
    } catch {
      return false
    } finally {
      await client.end()
    }
  })
  return writtenAt
}

async function startEtcd(
  started: AsyncDisposableStack,
  home: { user: typeof NOBODY; cwd: string },
): Promise<number> {
  const [port, peerPort] = [await freePort(), await freePort()]
  const [url, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  const args = [
    `--data-dir=${join(home.cwd, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ]
  started.use(await startDebianProgram('etcd', args, { ...home, port }))
  return port
}

async function answers({ restPort }: Node, role: 'primary' | 'sync'): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${restPort}/${role}`).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.status === 200
}

/** SIGKILL, of which its backends learn by themselves. */
function killPostmaster({ data }: Node): void {
  try {
    const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // It does not run.
  }
}

function urlOf(nodes: readonly { readonly port: number }[], database: string): string {
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join()
  return `postgresql://postgres:${PASSWORD}@${hosts}/${database}`
}

/** The sample, on loopback; with the shortest times that Patroni accepts. */
function configOf(
  { name, port, restPort, data }: Node,
  { etcdPort, folder }: { etcdPort: number; folder: string },
): string {
  const sample = parse(readFileSync('deploy/patroni/patroni.yml', 'utf8'))
  const at = (own: number) => ({ listen: `127.0.0.1:${own}`, connect_address: `127.0.0.1:${own}` })
  const { bootstrap, postgresql } = sample
  const { superuser, replication } = postgresql.authentication
  return stringify({
    ...sample,
    name,
    restapi: at(restPort),
    etcd3: { hosts: `127.0.0.1:${etcdPort}` },
    bootstrap: { ...bootstrap, dcs: { ...bootstrap.dcs, loop_wait: 1, retry_timeout: 3 } },
    postgresql: {
      ...postgresql,
      ...at(port),
      bin_dir: BIN,
      data_dir: data,
      pgpass: join(folder, `${name}.pgpass`),
      authentication: {
        superuser: { ...superuser, password: PASSWORD },
        replication: { ...replication, password: PASSWORD },
      },
      parameters: { unix_socket_directories: folder },
      pg_hba: postgresql.pg_hba.map((line: string) => line.replace('10.0.0.0/24', '127.0.0.1/32')),
    },
  })
}

/** The sample, on loopback. */
function haproxyOf(nodes: readonly Node[], port: number): string {
  const sample = readFileSync('deploy/patroni/haproxy.cfg', 'utf8')
  const servers = nodes.map(
    (node) => `  server ${node.name} 127.0.0.1:${node.port} check port ${node.restPort}\n`,
  )
  return sample
    .replace(/^  server .*\n/gm, '')
    .replace('bind 127.0.0.1:5432', `bind 127.0.0.1:${port}`)
    .concat(...servers)
}
