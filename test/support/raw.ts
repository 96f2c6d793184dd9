import { connect } from 'node:net'
import { turns } from './races.ts'
import type { Answer, Service } from './service.ts'

export interface RawAnswers {
  readonly answers: readonly Answer[]
  /** The server ended the connection. */
  readonly closed: boolean
}

const PATIENCE_MS = 20_000

/**
 * Sends bytes just as they are and reads `expected` answers, and until the end when the last of them
 * says that the connection closes. Rejects after twenty seconds.
 */
export function sendRaw(
  baseUrl: string,
  bytes: string | Buffer,
  expected = 1,
): Promise<RawAnswers> {
  return openRaw(baseUrl, bytes, expected).answered
}

export interface RawConnection {
  /** What `sendRaw` returns. */
  readonly answered: Promise<RawAnswers>
  send(bytes: string | Buffer): void
  /** Hangs up without a farewell. */
  reset(): void
}

/** As `sendRaw`, for who wants to say more later, or nothing at all. */
export function openRaw(baseUrl: string, bytes: string | Buffer, expected = 1): RawConnection {
  const socket = connect(Number(new URL(baseUrl).port), '127.0.0.1')
  const answered = new Promise<RawAnswers>((resolve, reject) => {
    let received = ''
    const finish = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ answers: parseAnswers(received), closed })
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after: ${received}`))
    }, PATIENCE_MS)
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      received += text
      const answers = parseAnswers(received)
      const last = answers.at(expected - 1)
      if (last !== undefined && last.headers['connection'] !== 'close') finish(false)
    })
    // What the server did not read when it closed comes back as a reset.
    socket.on('error', () => finish(true))
    socket.on('close', () => finish(true))
  })
  // As bytes one by one: a string may hold what is no UTF-8.
  const send = (more: string | Buffer) =>
    void socket.write(typeof more === 'string' ? Buffer.from(more, 'latin1') : more)
  send(bytes)
  return { answered, send, reset: () => void socket.resetAndDestroy() }
}

/** The head of a request with a Host, and its body. */
export function requestText(line: string, headers: Record<string, string> = {}, body = ''): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Resolves once nobody is connected to the service. */
export async function untilNoneIsConnected({ app }: Service): Promise<void> {
  const open = () =>
    new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)))
  while ((await open()) > 0) await turns(1)
}

/** The whole answers at the beginning of what came; interim ones (1xx) are passed over. */
function parseAnswers(received: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = received; ;) {
    const head = /^HTTP\/1\.1 ([0-9]{3}).*?\r\n\r\n/s.exec(rest)
    if (head === null) return answers
    const headers = Object.fromEntries(
      [...head[0].matchAll(/^([^:\r\n]+): ?(.*)\r$/gm)].map(([, name = '', value]) => [
        name.toLowerCase(),
        value,
      ]),
    )
    const status = Number(head[1])
    const end = head[0].length + Number(headers['content-length'] ?? 0)
    if (rest.length < end) return answers
    const text = Buffer.from(rest.slice(head[0].length, end), 'latin1').toString()
    const isJson = text !== '' && /json/.test(headers['content-type'] ?? '')
    if (status >= 200) answers.push({ status, headers, text, body: isJson && JSON.parse(text) })
    rest = rest.slice(end)
  }
}
