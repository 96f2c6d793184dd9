import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  /** The URL of the same server, by way of the proxy. */
  readonly url: string
  /** From now on nothing passes, in either direction, and nobody is told: a black hole. */
  swallow(): void
  /** What is open dies at the next bytes from the client; new connections are fine. */
  resetOnUse(): void
  /** Each answer is cut off after so many bytes, and its connection with it. */
  cutAnswersAfter(bytes: number): void
  /** How many were. */
  cuts(): number
  /** New connections pass; those in the black hole stay there. */
  heal(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** A faulty network between a service and the server of `target`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let swallowing = false
  let answerMaxBytes = Number.POSITIVE_INFINITY
  let cuts = 0
  /** Connections of an earlier era are faulty in the way that ended it. */
  let era = { swallowed: false, resets: false }

  const server = createServer((client) => {
    const born = era
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    let answered = 0
    client.on('data', (bytes) => {
      if (born.resets) client.resetAndDestroy()
      else if (!swallowing && !born.swallowed) upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      if (swallowing || born.swallowed) return
      answered += bytes.length
      if (answered <= answerMaxBytes) return client.write(bytes)
      cuts++
      client.end(bytes.subarray(0, Math.max(0, answerMaxBytes - answered + bytes.length)))
      return upstream.destroy()
    })
    // Also a connection that was refused; only a black hole tells nobody.
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => swallowing || born.swallowed || client.destroySoon())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)

  return {
    url: url.href,
    swallow() {
      swallowing = true
    },
    resetOnUse() {
      era.resets = true
      era = { swallowed: false, resets: false }
    },
    cutAnswersAfter(bytes) {
      answerMaxBytes = bytes
    },
    cuts: () => cuts,
    heal() {
      if (swallowing) era.swallowed = true
      swallowing = false
      answerMaxBytes = Number.POSITIVE_INFINITY
      era = { swallowed: false, resets: false }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
