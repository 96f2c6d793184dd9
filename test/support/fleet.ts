import assert from 'node:assert/strict'
import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CERTIFICATE, CERTIFICATE_KEY } from './certificate.ts'
import { createDatabase, dropDatabase, freePort } from './cluster.ts'
import { TEMPLATE } from './database.ts'
import { temporaryFolder } from './process.ts'
import { startDebianProgram } from './programs.ts'
import { type ServerProcess, startServer } from './server-process.ts'

/** As the samples in deploy/ have them. */
const ADDRESSES = ['10.0.0.11:8000', '10.0.0.12:8000', '10.0.0.13:8000'] as const
const NOBODY = { uid: 65_534, gid: 65_534 }

export interface Replica {
  /** Another one after each restart, on the same port. */
  process: ServerProcess
  readonly port: number
  /** Starts a process when the former one has ended. */
  restart(): Promise<void>
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>
export type Proxy = Awaited<ReturnType<typeof startProxy>>

/** Three replicas on one PostgreSQL database. */
export async function startFleet(settings: Record<string, string>) {
  const server = process.env['TEST_POSTGRES_URL'] ?? ''
  const name = `fleet_${process.pid}`
  const DATABASE_URL = await createDatabase(server, name, TEMPLATE)
  const replicas = await Promise.all(
    ADDRESSES.map(async () => {
      const port = await freePort()
      const start = () => startServer({ ...settings, DATABASE_URL, PORT: String(port) })
      const replica: Replica = {
        process: await start(),
        port,
        async restart() {
          await replica.process.ended
          replica.process = await start()
        },
      }
      return replica
    }),
  )
  return {
    databaseUrl: DATABASE_URL,
    replicas,
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map((replica) => replica.process.kill()))
      await dropDatabase(server, name)
    },
  }
}

/** A proxy in front of a fleet, by its sample in deploy/, on free ports of loopback. */
export async function startProxy(name: 'nginx' | 'haproxy', { replicas }: Fleet) {
  const folder = temporaryFolder()
  const ports = { http: await freePort(), https: await freePort() }
  const certificate = join(folder.path, 'shop.pem')
  writeFileSync(certificate, CERTIFICATE + CERTIFICATE_KEY)
  if (process.getuid?.() === 0) chownSync(folder.path, NOBODY.uid, NOBODY.gid)
  const { sample, changes, args } = PROXIES[name]({
    folder: folder.path,
    certificate,
    ports,
  })
  const upstreams = ADDRESSES.map((address, index) => {
    return [address, `127.0.0.1:${replicas[index]?.port}`] as const
  })
  writeFileSync(join(folder.path, 'sample'), changed(sample, [...upstreams, ...changes]))
  const program = await startDebianProgram(name, args, {
    port: ports.https,
    user: NOBODY,
    cwd: folder.path,
  })
  return {
    url: `https://127.0.0.1:${ports.https}`,
    plainUrl: `http://127.0.0.1:${ports.http}`,
    said: program.said,
    async [Symbol.asyncDispose]() {
      // SIGKILL would leave the worker processes of nginx behind.
      await program.stop('SIGTERM')
      folder[Symbol.dispose]()
    },
  }
}

interface Place {
  readonly folder: string
  readonly certificate: string
  readonly ports: { readonly http: number; readonly https: number }
}

const PROXIES = {
  nginx({ folder, certificate, ports }: Place) {
    // Debian's nginx.conf writes to /var; of its directives the sample needs none but these.
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(' ')
    const main = join(folder, 'nginx.conf')
    writeFileSync(
      main,
      `daemon off; worker_processes 2; pid ${folder}/pid; error_log stderr warn; events {}
      http { access_log off; ${temporary} include ${folder}/sample; }\n`,
    )
    return {
      sample: 'deploy/nginx/coffee-shop.conf',
      changes: [
        ['/etc/ssl/shop.example.com/fullchain.pem', certificate],
        ['/etc/ssl/shop.example.com/privkey.pem', certificate],
        ['listen 80;', `listen 127.0.0.1:${ports.http};`],
        ['listen 443 ', `listen 127.0.0.1:${ports.https} `],
      ] as const,
      args: ['-e', 'stderr', '-c', main],
    }
  },
  haproxy: ({ folder, certificate, ports }: Place) => ({
    sample: 'deploy/haproxy/haproxy.cfg',
    changes: [
      ['/etc/haproxy/certs/shop.example.com.pem', certificate],
      // Only what fails.
      ['option dontlognull', 'option dontlog-normal'],
      ['bind :80\n', `bind 127.0.0.1:${ports.http}\n`],
      ['bind :443 ', `bind 127.0.0.1:${ports.https} `],
    ] as const,
    args: ['-db', '-f', join(folder, 'sample')],
  }),
}

/** The text of a file with every occurrence replaced; each text must occur. */
function changed(file: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce(
    (text, [from, to]) => {
      assert.ok(text.includes(from), `${file} has no ${from}`)
      return text.replaceAll(from, to)
    },
    readFileSync(file, 'utf8'),
  )
}
