import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns, type Waiting } from '../../server/lib/turns.ts'
import { times, turns } from '../support/races.ts'

/** Writes down who has its turn. */
function watch(line: readonly Waiting[]): number[] {
  const began: number[] = []
  for (const [place, { turn }] of line.entries()) void turn.then(() => began.push(place))
  return began
}

test('one at a time has its turn, in the order in which they came', async () => {
  const { enter } = createTurns(1)
  const line = times(4).map(() => enter())
  const began = watch(line)
  const seen: number[][] = []

  for (const { turn } of line) {
    const endTurn = await turn
    await turns(1)
    seen.push([...began])
    endTurn()
  }

  assert.deepEqual(seen, [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]])
})

test('several have their turn at once, the others wait and are counted', async () => {
  const { enter, free, waiting } = createTurns(2)
  const line = times(4).map(() => enter())
  const began = watch(line)
  const endFirst = await line[0]?.turn
  const before = [[...began], free(), waiting()]

  endFirst?.()
  await turns(1)

  assert.deepEqual(before, [[0, 1], 0, 2])
  assert.deepEqual([began, free(), waiting()], [[0, 1, 2], 0, 1])
})

test('a line that has become empty is served at once', async () => {
  const { enter } = createTurns(1)
  for (let round = 0; round < 3; round++) {
    const endTurn = await enter().turn
    endTurn()
  }

  const [first, second] = [enter(), enter()]
  const began = watch([first, second])
  await turns(1)

  assert.deepEqual(began, [0])
})

test('who abandons the line before its turn is passed over', async () => {
  const { enter } = createTurns(1)
  const line = times(4).map(() => enter())
  const began = watch(line)

  line[1]?.abandon()
  line[3]?.abandon()
  const endFirst = await line[0]?.turn
  endFirst?.()
  const endThird = await line[2]?.turn
  endThird?.()
  const next = enter()

  await next.turn
  assert.deepEqual(began, [0, 2])
})

for (const [when, place] of [
  ['at once', 0],
  ['when the one before ended', 1],
] as const) {
  test(`a turn that was granted ${when} and is abandoned goes on to the next`, async () => {
    const { enter } = createTurns(1)
    const line = times(3).map(() => enter())
    const began = watch(line)
    for (const { turn } of line.slice(0, place)) (await turn)()
    await line[place]?.turn

    line[place]?.abandon()
    await turns(1)

    assert.deepEqual(began, times(place + 2))
  })
}
