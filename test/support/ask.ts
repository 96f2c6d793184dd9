import { setTimeout as delay } from 'node:timers/promises'
import { fetchPatiently } from './until.ts'

/** The answer, or undefined when the server died before all of it came. */
export async function ask(
  url: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: any } | undefined> {
  const init = body === undefined ? {} : post(body)
  try {
    const answer = await fetch(path === '/health' ? url + path : `${url}/api/v1${path}`, init)
    return { status: answer.status, body: await answer.json() }
  } catch {
    // The next server needs a moment to start.
    await delay(20)
    return undefined
  }
}

/** The answer of a server that lives. */
export async function askPatiently(
  url: string,
  path: string,
  body: unknown,
): Promise<{ status: number; body: any }> {
  const answer = await fetchPatiently(`${url}/api/v1${path}`, post(body))
  return { status: answer.status, body: await answer.json() }
}

const post = (body: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
