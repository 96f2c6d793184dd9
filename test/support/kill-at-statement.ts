// Loaded before the program (`--import`): a signal, by default a power cut, at one exact SQL statement.
// KILL_AT counts from 1 the statements that match KILL_SQL with their values; KILL_WHEN=sent means
// once the statement is on its way, else just before it.
import { DatabaseSync, StatementSync } from 'node:sqlite'
import pg from 'pg'

const killAt = Number(process.env['KILL_AT'])
const pattern = new RegExp(process.env['KILL_SQL'] ?? '')
const whenSent = process.env['KILL_WHEN'] === 'sent'
const signal = (process.env['KILL_SIGNAL'] ?? 'SIGKILL') as NodeJS.Signals
let count = 0

signalIn(pg.Client.prototype, 'query', (_client, [query, values]) => [query.text ?? query, values])
signalIn(DatabaseSync.prototype, 'exec', (_database, [sql]) => [sql])
signalIn(StatementSync.prototype, 'run', ({ sourceSQL }, values) => [sourceSQL, values])
signalIn(StatementSync.prototype, 'all', ({ sourceSQL }, values) => [sourceSQL, values])

function signalIn<Name extends string, Prototype extends Record<Name, (...args: any[]) => any>>(
  prototype: Prototype,
  name: Name,
  statementOf: (of: Prototype, args: any[]) => unknown[],
): void {
  const original = prototype[name]
  const replaced: Record<Name, (...args: any[]) => any> = prototype
  replaced[name] = function (this: Prototype, ...args: any[]) {
    const now = pattern.test(statementOf(this, args).join(' ')) && ++count === killAt
    if (now && !whenSent) process.kill(process.pid, signal)
    const result = original.apply(this, args)
    if (now && whenSent) process.kill(process.pid, signal)
    return result
  }
}
