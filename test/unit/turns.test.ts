import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns, type EndTurn, type Turns } from '../../server/lib/turns.ts'
import { times, turns } from '../support/races.ts'

/** Enters one entry per key, and returns the order in which they began, or were shed. */
function enterAll({ enter }: Turns, keys: readonly (string | undefined)[]) {
  const began: (string | undefined)[] = []
  const ends: EndTurn[] = []
  const line = keys.map((key) => {
    const waiting = enter(key === undefined ? undefined : [key])
    void waiting?.turn.then((endTurn) => {
      began.push(endTurn === undefined ? `${key} shed` : key)
      if (endTurn !== undefined) ends.push(endTurn)
    })
    return waiting
  })
  return {
    line,
    began,
    /** Ends the oldest running turn. */
    async endNext() {
      await turns(1)
      ends.shift()?.()
      await turns(1)
    },
  }
}

test('one at a time has its turn, in the order in which they came', async () => {
  const { began, endNext } = enterAll(createTurns({ slots: 1 }), ['a', 'b', 'c'])
  const seen: unknown[][] = []
  for (let ended = 0; ended < 3; ended++) {
    await turns(1)
    seen.push([...began])
    await endNext()
  }

  assert.deepEqual(seen, [['a'], ['a', 'b'], ['a', 'b', 'c']])
})

test('several have their turn at once, the others wait and are counted', async () => {
  const all = createTurns({ slots: 2 })
  const { began, endNext } = enterAll(all, ['a', 'b', 'c', 'd'])
  await turns(1)
  const before = [[...began], all.free(), all.waiting()]

  await endNext()

  assert.deepEqual(before, [['a', 'b'], 0, 2])
  assert.deepEqual([began, all.free(), all.waiting()], [['a', 'b', 'c'], 0, 1])
})

test('a queue that has become empty is served at once', async () => {
  const all = createTurns({ slots: 1 })
  for (let round = 0; round < 3; round++) (await all.enter()?.turn)?.()

  const { began } = enterAll(all, ['first', 'second'])
  await turns(1)

  assert.deepEqual(began, ['first'])
})

test('an entry that abandons the queue is passed over, and frees its places', async () => {
  const all = createTurns({ slots: 1, heldMax: 2 })
  const { line, began, endNext } = enterAll(all, ['a', 'b', 'c', 'd'])

  line[1]?.abandon()
  line[1]?.abandon()
  line[3]?.abandon()
  await endNext()
  await endNext()

  assert.deepEqual(began, ['a', 'c'])
  assert.equal(all.free(), 1)
  assert.ok(all.hasPlace(['b']))
})

for (const [when, place] of [
  ['at once', 0],
  ['when the one before ended', 1],
] as const) {
  test(`a turn that was granted ${when} and is abandoned goes on to the next`, async () => {
    const { line, began, endNext } = enterAll(createTurns({ slots: 1 }), ['a', 'b', 'c'])
    for (let ended = 0; ended < place; ended++) await endNext()
    await line[place]?.turn

    line[place]?.abandon()
    await turns(1)

    assert.deepEqual(began, ['a', 'b', 'c'].slice(0, place + 2))
  })
}

test('a turn that ends twice frees one slot', async () => {
  const all = createTurns({ slots: 1 })
  const endTurn = await all.enter()?.turn

  endTurn?.()
  endTurn?.()

  assert.equal(all.free(), 1)
})

test('the key that holds the fewest places goes next', async () => {
  const all = createTurns({ slots: 1 })
  const { began, endNext } = enterAll(all, ['many', 'many', 'many', 'many', 'few'])

  for (let ended = 0; ended < 5; ended++) await endNext()

  assert.deepEqual(began, ['many', 'few', 'many', 'many', 'many'])
})

test('a stream of new keys delays a key with several places by a round each, not for ever', async () => {
  const { enter } = createTurns({ slots: 1 })
  const began: string[] = []
  const ends: EndTurn[] = []
  async function queue(key: string) {
    void enter([key])?.turn.then((endTurn) => {
      began.push(key)
      if (endTurn !== undefined) ends.push(endTurn)
    })
    await turns(1)
  }
  for (const key of ['office', 'office', 'office', 'single 0']) await queue(key)

  for (const n of times(8)) {
    // Always one waits that holds no other place.
    await queue(`single ${n + 1}`)
    ends.shift()?.()
  }
  await turns(1)

  const isOffice = began.map((key) => key === 'office')
  assert.deepEqual(isOffice.slice(0, 2), [true, false])
  assert.equal(isOffice.filter(Boolean).length, 3)
})

test('a key holds no more than its places, running and waiting', async () => {
  const all = createTurns({ slots: 1, heldMax: 2 })
  const { line, endNext } = enterAll(all, ['a', 'a', 'a', 'b'])
  const refused = line.map((waiting) => waiting === undefined)
  const couldEnter = ['a', 'b'].map((key) => all.hasPlace([key]))

  await endNext()

  assert.deepEqual(refused, [false, false, true, false])
  assert.deepEqual(couldEnter, [false, true])
  assert.ok(all.hasPlace(['a']))
})

test('an entry with two keys counts for both', async () => {
  const { enter, hasPlace } = createTurns({ slots: 9, heldMax: 2 })
  enter(['network 1', 'account'])
  enter(['network 2', 'account'])

  assert.equal(enter(['network 3', 'account']), undefined)
  assert.deepEqual(
    [['network 1'], ['network 3', 'account']].map((keys) => hasPlace(keys)),
    [true, false],
  )
})

test('in a full queue a light key takes the newest place of the heaviest', async () => {
  const all = createTurns({ slots: 1, waitingMax: 4 })
  const { began, endNext } = enterAll(all, ['a', 'a', 'a', 'a', 'b', 'c', 'a'])
  await turns(1)
  const waiting = all.waiting()
  for (let ended = 0; ended < 6; ended++) await endNext()

  assert.equal(waiting, 4)
  // The last `a` has no place: it is the heaviest itself.
  assert.deepEqual(began, ['a', 'a shed', 'b', 'c', 'a', 'a'])
})

test('a full queue of equals refuses a further key, but not the service itself', () => {
  const all = createTurns({ slots: 1, waitingMax: 2 })
  const { line } = enterAll(all, ['a', 'b', 'c', 'd', undefined])

  assert.deepEqual(
    line.map((waiting) => waiting !== undefined),
    [true, true, true, false, true],
  )
})

test('a key runs no more than its slots; others use the free ones', async () => {
  const all = createTurns({ slots: 3, runningMax: 1 })
  const { began, endNext } = enterAll(all, ['a', 'a', 'a', 'b'])
  await turns(1)
  const before = [...began]
  await endNext()

  assert.deepEqual(before, ['a', 'b'])
  assert.deepEqual(began, ['a', 'b', 'a'])
  assert.equal(all.free(), 1)
})

test('an end that frees two keys starts an entry of each', async () => {
  const all = createTurns({ slots: 3, runningMax: 1 })
  const endBoth = await all.enter(['a', 'b'])?.turn
  const { began } = enterAll(all, ['a', 'b'])

  endBoth?.()
  await turns(1)

  assert.deepEqual(began, ['a', 'b'])
})

test('a thousand keys leave nothing behind', async () => {
  const all = createTurns({ slots: 2 })
  const { endNext } = enterAll(
    all,
    times(1000).map((number) => `key ${number}`),
  )
  for (let ended = 0; ended < 1000; ended++) await endNext()

  assert.deepEqual([all.free(), all.waiting()], [2, 0])
})
