/** One end of the channel between a process and its parent: `process`, or a worker of node:cluster. */
interface Channel {
  send?(message: object, sent: (error: Error | null) => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'disconnect', listener: () => void): unknown
}

type Handlers = Readonly<Record<string, (argument: never) => unknown>>

/** Calls a handler of the other end. Rejects when that throws or the channel closes. */
export type Call = (name: string, argument?: unknown) => Promise<unknown>

interface Message {
  readonly call?: string
  readonly argument?: never
  readonly answer?: unknown
  readonly error?: string
  /** Counts the calls of one end. */
  readonly id: number
}

/** Connects one end with its handlers; both can call the other. */
export function connectCalls(channel: Channel, handlers: Handlers): Call {
  const pending = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  const send = (message: Message) =>
    channel.send?.(message, (error) => {
      if (error) settle({ id: message.id, error: error.message })
    })
  function settle({ id, answer, error }: Message): void {
    const call = pending.get(id)
    pending.delete(id)
    if (error === undefined) call?.resolve(answer)
    else call?.reject(new Error(error))
  }
  async function handle({ call = '', argument, id }: Message): Promise<void> {
    try {
      send({ id, answer: await handlers[call]?.(argument as never) })
    } catch (error) {
      send({ id, error: String(error) })
    }
  }
  channel.on('message', (received) => {
    const message = received as Message
    if (message.call !== undefined) void handle(message)
    else if (pending.has(message.id)) settle(message)
  })
  channel.once('disconnect', () => {
    for (const id of pending.keys()) settle({ id, error: 'the process has ended' })
  })
  return (call, argument) => {
    const id = ++calls
    const promise = Promise.withResolvers<unknown>()
    pending.set(id, promise)
    send({ call, argument: argument as never, id })
    return promise.promise
  }
}
