import pg from 'pg'
import { SECOND_MS } from '../lib/units.ts'

const LIMIT_MS = SECOND_MS

/** Members of pg's classes that its types do not have. */
interface Target {
  readonly host: string
  readonly port: number
  readonly ssl: boolean
  readonly sslNegotiation: 'postgres' | 'direct'
  readonly processID: number
  readonly secretKey: number
}
interface Courier extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}

/**
 * Cancels what a connection runs, by the protocol's CancelRequest: it needs no place on the server and
 * passes poolers. Sent encrypted where the connection is: the key would let others cancel, too.
 * Rejects when the server does not take the request within a second.
 */
export function cancel(client: pg.Client): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as Target
  const courier = new pg.Connection({ ssl, sslNegotiation } as pg.ConnectionConfig) as Courier
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let isSent = false
  const send = () => {
    courier.cancel(processID, secretKey)
    isSent = true
  }
  if (!ssl) courier.once('connect', send)
  else if (sslNegotiation !== 'direct') courier.once('connect', () => courier.requestSsl())
  courier.once('sslconnect', send)
  courier.on('error', reject)
  // The server says nothing, and hangs up once it has sent the signal.
  courier.once('end', () => (isSent ? resolve() : reject(new Error('cancel request not taken'))))
  const timer = setTimeout(() => reject(new Error('cancel request timed out')), LIMIT_MS)
  if (host.startsWith('/')) courier.connect(`${host}/.s.PGSQL.${port}`)
  else courier.connect(port, host)
  return promise.finally(() => {
    clearTimeout(timer)
    courier.stream.destroy()
  })
}
