import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { startShop } from '../support/mail-outage.ts'
import { times } from '../support/races.ts'
import { until } from '../support/until.ts'

const HEAL_MAX_MS = MINUTE_MS

test('a sign-up takes as long while mail cannot be sent as with console mail', async (t) => {
  await using shop = await startShop('sqlite')
  await using usual = await startShop('sqlite', { MAIL_URL: 'console:' })
  const took = { usual: [] as number[], down: [] as number[], hanging: [] as number[] }
  for (const n of times(20)) await Promise.all([shop, usual].map((s) => s.signUp(`w${n}@ex.com`)))

  for (const phase of ['down', 'hanging'] as const) {
    if (phase === 'down') await shop.smtp.goDown()
    else shop.smtp.behave({ connect: 'hang' })
    if (phase === 'hanging') await shop.smtp.comeUp()
    for (const n of times(100)) {
      took[phase].push(await shop.signUp(`${phase}${n}@example.com`))
      took.usual.push(await usual.signUp(`${phase}${n}@example.com`))
    }
  }

  const at = (part: number, values: number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(part * values.length)] ?? Number.NaN
  for (const phase of ['down', 'hanging'] as const) {
    for (const [part, ratioMax] of [
      [0.5, 2],
      [0.9, 3],
    ] as const) {
      const [ms, usualMs] = [at(part, took[phase]), at(part, took.usual)]
      t.diagnostic(`${phase}: ${ms} ms of ${100 * part} %, usually ${usualMs} ms`)
      // Two milliseconds are the noise of a busy machine.
      assert.ok(ms <= ratioMax * usualMs + 2, `${phase}: ${ms} ms, usually ${usualMs} ms`)
    }
  }
})

test('all is mailed within a minute after the server has been down', async (t) => {
  await using shop = await startShop('sqlite')
  await shop.smtp.goDown()
  for (const n of times(24)) await shop.signUp(`user${n}@example.com`)
  // By then the pause between two tries is as long as it becomes.
  const faults = () => shop.lines.filter((line) => line.includes('"message not delivered"')).length
  await until('many faults', () => faults() >= 5)

  await shop.smtp.comeUp()
  const startedAt = performance.now()
  await until('every mail', async () => (await shop.mails()).every(({ state }) => state === 'sent'))
  const healedMs = performance.now() - startedAt

  t.diagnostic(`healed after ${Math.round(healedMs)} ms`)
  assert.ok(healedMs <= HEAL_MAX_MS, `${healedMs} ms`)
})
