/**
 * The cause of a failed delivery:
 * - `transport`: the server is unreachable, overloaded (421) or hangs, or TLS or the login fails. It
 *   does not depend on the message, so the whole transport pauses.
 * - `later`: the recipient's side defers this message (4xx to RCPT, greylisting).
 * - `refused`: the recipient's side rejects this message permanently (5xx to RCPT).
 */
export type DeliveryFault = 'transport' | 'later' | 'refused'

export class DeliveryError extends Error {
  readonly fault: DeliveryFault
  /** The message was sent completely but not confirmed: a copy may have arrived. */
  readonly unconfirmed: boolean

  constructor(
    fault: DeliveryFault,
    message: string,
    options: ErrorOptions & { unconfirmed?: boolean } = {},
  ) {
    super(message, options)
    this.name = 'DeliveryError'
    this.fault = fault
    this.unconfirmed = options.unconfirmed ?? false
  }
}
