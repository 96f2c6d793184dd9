import { createHash } from 'node:crypto'
import { answer, type Reply, startHttpServer } from './http-server.ts'

export const sha1 = (password: string) =>
  createHash('sha1').update(password).digest('hex').toUpperCase()

/** As the real one answers: its lines end in CRLF, and padding has the count 0. */
export const ranges = (...entries: readonly (readonly [password: string, count: number])[]) => {
  const lines = entries.map(([password, count]) => `${sha1(password).slice(5)}:${count}`)
  return answer(200, lines.join('\r\n'), { 'content-type': 'text/plain' })
}

/** A local range API; its URL is for PWNED_PASSWORDS_URL. */
export async function startRangeServer(reply: Reply) {
  const server = await startHttpServer(reply)
  return { ...server, url: `${server.url}range/` }
}
