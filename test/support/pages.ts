import assert from 'node:assert/strict'
import type { Service } from './service.ts'
import { nextOf } from './users.ts'

const PAGES_MAX = 100

/** What stands on each page of a list, from the first one on; `between` is called after each. */
export async function pagesFrom(
  service: Service,
  first: string,
  { token, between = async () => {} }: { token: string; between?: () => Promise<unknown> },
): Promise<any[][]> {
  const pages: any[][] = []
  for (let url: string | undefined = first; url !== undefined;) {
    const answer = await service.get(url, { token })
    assert.equal(answer.status, 200, answer.text)
    pages.push(answer.body)
    url = nextOf(answer)
    await between()
    assert.ok(pages.length < PAGES_MAX)
  }
  return pages
}
