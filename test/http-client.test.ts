import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { NoAnswerError, post } from '../server/lib/http-client.ts'

/** What a post to a server that does this with its connections fails with. */
async function failure(onConnection: (socket: Socket) => void, body: string) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const timeouts = { connectMs: 2000, totalMs: 500 }
  try {
    const posting = post(url, { headers: {}, body, timeouts })
    const error = await posting.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof NoAnswerError, String(error))
    return error
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

describe('a post without an answer', () => {
  test('that was written whole was handed over', async () => {
    const error = await failure((socket) => socket.resume(), 'short')
    assert.equal(error.handedOver, true)
  })

  test('of which the server never read the end was not handed over', async () => {
    // More than two sockets buffer.
    const error = await failure((socket) => socket.pause(), 'x'.repeat(64 * 1024 * 1024))
    assert.equal(error.handedOver, false)
  })

  test('ends when the server switches protocols, which nobody asked for', async () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'
    const error = await failure((socket) => socket.once('data', () => socket.write(answer)), 'a')
    assert.equal(error.handedOver, true)
  })
})
