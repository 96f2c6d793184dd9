import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { placesFor, TURN_MAX, turnAfter } from '../../server/outbox/lines.ts'
import { kindsOf } from '../../server/messages/kinds.ts'
import { times } from '../support/races.ts'

const mails = kindsOf('mail')
const places = (round: number, kinds = mails) =>
  placesFor(round, kinds).map(({ line, turn }) => `${line} ${turn}`)

describe('the places of a claim', () => {
  test('are all lines and turns, each once, whoever goes first', () => {
    const all = places(0).toSorted((a, b) => a.localeCompare(b))

    assert.equal(new Set(all).size, 3 * (TURN_MAX + 1))
    for (const round of times(200))
      assert.deepEqual(
        places(round).toSorted((a, b) => a.localeCompare(b)),
        all,
      )
  })

  test('begin with each of them again and again, and mostly with codes that wait in the first turn', () => {
    const firsts = times(156).map((round) => places(round)[0] ?? '')

    assert.equal(new Set(firsts).size, 3 * (TURN_MAX + 1))
    const first = (place: string) => firsts.filter((one) => one === place).length
    assert.equal(first('codes 0'), 72)
    assert.equal(first('sign_ups 0'), 36)
    assert.equal(first('notices 0'), 36)
  })

  test('leave out lines without a kind that is wanted', () => {
    const { new_device } = mails

    const notices = places(0, { new_device: new_device ?? assert.fail() })
    assert.equal(notices.length, TURN_MAX + 1)
    assert.ok(notices.every((place) => place.startsWith('notices ')))
    assert.deepEqual(places(0, kindsOf('sms') as never).length, TURN_MAX + 1)
  })
})

test('the turn of a message is later the more wait already', () => {
  assert.deepEqual([0, 1, 3, 4, 15, 16, 1000].map(turnAfter), [0, 1, 1, 2, 2, 3, 3])
})
