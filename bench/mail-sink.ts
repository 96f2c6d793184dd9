// A mail server that accepts everything, in a process of its own; answers each message with the number
// of mails so far, and its first answer with its port.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Sunk {
  readonly port: number
  readonly mails: number
}

let mails = 0
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  onData(stream, _session, accept) {
    stream.resume()
    stream.once('end', () => {
      mails++
      accept()
    })
  },
})
server.on('error', () => {})
const listening = once(server.listen(0, '127.0.0.1'), 'listening')

process.on('message', () => {
  void listening.then(() => {
    const { port } = server.server.address() as AddressInfo
    const answer: Sunk = { port, mails }
    process.send?.(answer)
  })
})
