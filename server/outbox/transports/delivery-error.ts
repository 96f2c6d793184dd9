/**
 * Why a message was not delivered, and whose fault it is:
 * - `transport`: the server cannot be reached, its TLS or our login fails, it is overloaded (421),
 *   it hangs. Nothing is wrong with the message; the whole transport pauses.
 * - `later`: the recipient's side asks to try this one again later (4xx to RCPT, grey-listing).
 * - `refused`: the recipient's side will never take it (5xx to RCPT).
 */
export type DeliveryFault = 'transport' | 'later' | 'refused'

export class DeliveryError extends Error {
  readonly fault: DeliveryFault
  /** The message was handed over whole and never confirmed: a copy may have arrived. */
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
