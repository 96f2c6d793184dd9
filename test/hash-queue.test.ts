import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SLOW_HASHES } from './support/hashes.ts'
import { times, turns } from './support/races.ts'
import { openRaw, requestText } from './support/raw.ts'
import { PASSWORD, startService } from './support/service.ts'

const CLIENTS = 10

for (const path of ['login', 'signup']) {
  test(`who hangs up leaves the hash queue: POST /auth/${path}`, async () => {
    await using service = await startService({ ...SLOW_HASHES, RATE_LIMIT: 'off' })
    const { hasher } = service.ctx
    const { hash, verify } = hasher
    let hashed = 0
    hasher.verify = async (...given) => {
      const matches = await verify(...given)
      hashed++
      return matches
    }
    hasher.hash = async (...given) => {
      const made = await hash(...given)
      hashed++
      return made
    }
    const base = await service.listen()
    const clients = times(CLIENTS).map((n) => openRaw(base, request(path, n)))
    while (hasher.waiting() < CLIENTS - 2) await turns(1)

    for (const client of clients) client.reset()
    await Promise.all(clients.map(({ answered }) => answered))
    while (hasher.waiting() > 0) await turns(1)

    assert.ok(hashed <= 4, `${hashed} of ${CLIENTS} were hashed for nobody`)
    assert.equal((await service.get('/ready')).status, 200)
  })
}

function request(path: string, n: number): string {
  const body = JSON.stringify({ email: `user${n}@example.com`, password: PASSWORD })
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  return requestText(`POST /api/v1/auth/${path}`, headers, body)
}
