import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { freePort } from './cluster.ts'
import { temporaryFolder } from './process.ts'
import { startDebianProgram } from './programs.ts'
import type { Answer } from './service.ts'
import { until } from './until.ts'

const SAMPLES = resolve(import.meta.dirname, '../../deploy/caddy')

export type Caddy = Awaited<ReturnType<typeof startCaddy>>

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** By default the loopback address that the proxy has, too. */
  readonly from?: string
}

/** A free port for `startCaddy`, and the origin of what it will serve there. */
export async function reserveCaddy(): Promise<{ port: number; origin: string }> {
  const port = await freePort()
  return { port, origin: `https://localhost:${port}` }
}

/**
 * Caddy with a sample of `deploy/caddy/` on a port of its own, a certificate of its own authority, and
 * other upstreams in place of those of the sample, `127.0.0.1:8000` for one. `await using` ends it.
 */
export async function startCaddy(
  sample: string,
  { port, origin }: { port: number; origin: string },
  upstreams: Readonly<Record<string, string>>,
) {
  const folder = temporaryFolder()
  let config = readFileSync(join(SAMPLES, sample), 'utf8')
  config = config.replace(/^[\w.]+\.example \{$/m, `${origin} {`)
  for (const [given, host] of Object.entries(upstreams)) config = config.replaceAll(given, host)
  const file = join(folder.path, 'Caddyfile')
  writeFileSync(file, `${optionsOf(folder.path)}\n${config}`)
  const args = ['run', '--adapter', 'caddyfile', '--config', file]
  const program = await startDebianProgram('caddy', args, { port, cwd: folder.path })
  const root = join(folder.path, 'storage/pki/authorities/local/root.crt')
  await until(
    () => `the authority of Caddy: ${program.said()}`,
    () => existsSync(root),
  )
  const secure = { host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(root) }

  /** One request on a connection of its own, over HTTP/1.1. A body is sent in chunks. */
  async function ask(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const { headers = {}, body = '', from } = sent
    const asking = request({
      ...secure,
      agent: false,
      method,
      path,
      headers: { host: new URL(origin).host, ...headers },
      ...(from === undefined ? {} : { localAddress: from }),
    })
    asking.end(body)
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    return answerOf(answer.statusCode, answer.headers, await buffer(answer))
  }

  /** The same over HTTP/2. The head never says that it is all: the end is an empty frame, or a body. */
  async function askHttp2(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const { headers = {}, body = '' } = sent
    const session = connectHttp2(`https://127.0.0.1:${port}`, secure)
    try {
      const authority = new URL(origin).host
      const head = { ':method': method, ':path': path, ':authority': authority, ...headers }
      const stream = session.request(head, { endStream: false })
      stream.end(body)
      const [answer] = (await once(stream, 'response')) as [Record<string, string>]
      return answerOf(Number(answer[':status']), answer, await buffer(stream))
    } finally {
      session.close()
    }
  }

  /** The certificate is made after the port is open. */
  async function shakesHands(): Promise<boolean> {
    const socket = connectTls(secure)
    return once(socket, 'secureConnect')
      .then(
        () => true,
        () => false,
      )
      .finally(() => socket.destroy())
  }
  await until(() => `the certificate of Caddy: ${program.said()}`, shakesHands)
  return {
    origin,
    ask,
    askHttp2,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** The samples have none of these options, of which Caddy takes one block, at the start. */
const optionsOf = (folder: string) => `{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
	local_certs
	skip_install_trust
	storage file_system ${folder}/storage
}
`

function answerOf(status: number | undefined, headers: object, body: Buffer): Answer {
  const named = headers as Record<string, string>
  const text = body.toString()
  const isJson = text !== '' && /json/.test(named['content-type'] ?? '')
  return { status: status ?? 0, headers: named, text, body: isJson ? JSON.parse(text) : undefined }
}
