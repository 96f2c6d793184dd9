import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type LookupFunction } from 'node:net'
import { test } from 'node:test'
import { fetchFailure, reasonOf } from '../../server/lib/reasons.ts'
import { freePort } from '../support/cluster.ts'

const twoAddresses: LookupFunction = (_host, _options, done) => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
  done(null, addresses)
}

test('a host of which every address refuses: the reason of the first', async () => {
  const port = await freePort()
  const socket = connect({ host: 'shop.example', port, lookup: twoAddresses })

  const error: unknown = await once(socket, 'connect').catch((reason: unknown) => reason)

  assert.ok(error instanceof AggregateError)
  const reason = `connect ECONNREFUSED 127.0.0.1:${port}`
  assert.equal(reasonOf(error), reason)
  assert.equal(fetchFailure(new TypeError('fetch failed', { cause: error })), reason)
})

test('fetch fails for its cause, or by itself', async () => {
  const failure = await fetch('http://nowhere.invalid').then(() => '', fetchFailure)

  assert.match(failure, /^getaddrinfo E\w+ nowhere\.invalid$/)
  assert.equal(fetchFailure(new Error('took too long')), 'took too long')
})

test('an error without a message has its name, and what is thrown else is unknown', () => {
  assert.deepEqual([reasonOf(new RangeError()), reasonOf('text')], ['RangeError', 'unknown'])
})
