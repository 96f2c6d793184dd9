import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Fetch } from '../../client/index.ts'

/** `fetch` of the pages of one origin, which share one cookie: it is in a file. */
export function fetchWithJar(file: string): Fetch {
  return async (request) => {
    if (request.credentials !== 'include') return fetch(request)
    const sent = new Request(request)
    sent.headers.set('origin', new URL(request.url).origin)
    if (existsSync(file)) sent.headers.set('cookie', readFileSync(file, 'utf8'))
    const response = await fetch(sent)
    for (const line of response.headers.getSetCookie()) {
      if (/; Max-Age=0/.test(line)) rmSync(file, { force: true })
      else writeFileSync(file, line.replace(/;.*/, ''))
    }
    return response
  }
}
