// Loaded before the program (`--import`): a power cut at one exact SQL statement. KILL_AT counts from
// 1; KILL_WHEN=sent cuts once the statement is on its way, else just before it.
import { DatabaseSync, StatementSync } from 'node:sqlite'
import pg from 'pg'

const killAt = Number(process.env['KILL_AT'])
const whenSent = process.env['KILL_WHEN'] === 'sent'
let count = 0

cutPowerIn(pg.Client.prototype, 'query')
cutPowerIn(DatabaseSync.prototype, 'exec')
cutPowerIn(StatementSync.prototype, 'run')
cutPowerIn(StatementSync.prototype, 'all')

function cutPowerIn<Name extends string>(
  prototype: { [Key in Name]: (...args: any[]) => any },
  name: Name,
): void {
  const original = prototype[name]
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    const last = ++count === killAt
    if (last && !whenSent) process.kill(process.pid, 'SIGKILL')
    const result = original.apply(this, args)
    if (last) process.kill(process.pid, 'SIGKILL')
    return result
  }
}
