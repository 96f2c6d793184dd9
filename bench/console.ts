// node bench/console.ts [users]: what an admin waits for in a browser, among a million users on SQLite. After
// `npm run build`; what it found is in docs/performance.md.
import { chromium } from 'playwright-core'
import { LAUNCH } from '../test/support/browser.ts'
import { startDatabases } from './databases.ts'
import { percentile } from './latency.ts'
import { PASSWORD, startOurs } from './targets.ts'

const ROUNDS = 9
/** How deep the page is that a cursor finds, at most. */
const DEEP = 100_000
const users = Number(process.argv[2] ?? 1_000_000)

const databases = await startDatabases(['sqlite'])
const target = await startOurs(databases, { engine: 'sqlite', users, connections: 1 })
const { url } = target.server
const browser = await chromium.launch(LAUNCH)
const page = await browser.newPage({ locale: 'en-GB' })
const deep = await cursorAt(Math.min(DEEP, users / 2))

await page.goto(`${url}/console/users`)
await page.getByLabel('Email').fill('user1@example.com')
await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
await page.getByRole('button', { name: 'Sign in' }).click()
const isListed = 'document.querySelector("table[aria-busy=false] tbody a") !== null'
const says = (text: RegExp) =>
  `[...document.querySelectorAll('[role=status]')].some((one) => ${text}.test(one.textContent))`
/** Looks at each frame, where a locator comes to look twice a second only. */
const until = (condition: string) =>
  page.evaluate(`new Promise((resolve) => {
    const look = () => (${condition} ? resolve() : requestAnimationFrame(look))
    look()
  })`)
await until(isListed)

type Step = readonly [what: string, start: () => Promise<unknown>, run: () => Promise<unknown>]

const LIST = `${url}/console/users`
const open =
  (address: string, condition = isListed) =>
  async () => {
    await page.goto(address, { waitUntil: 'commit' })
    await until(condition)
  }
const nowhere = () => page.goto('about:blank')
/** Opened anew: nothing of an earlier round is shown. */
const list = open(LIST, says(/\d{3} users$/))
const find = (text: string, found: RegExp) => async () => {
  await page.getByLabel('Search').fill(text)
  await until(says(found))
}
const STEPS: readonly Step[] = [
  [
    'for comparison, a form without a session',
    nowhere,
    open(`${url}/forgot`, 'document.querySelector("form") !== null'),
  ],
  ['the list, by its address', nowhere, open(LIST)],
  ['how many users there are, too', nowhere, list],
  ['a deep page, by its address', nowhere, open(`${LIST}?sort=id&after=${deep}`)],
  [
    'another order',
    list,
    async () => {
      await page.getByRole('link', { name: 'Email' }).click()
      await until(`document.querySelector('th[aria-sort=ascending]') !== null && ${isListed}`)
    },
  ],
  [
    'who is not verified',
    list,
    async () => {
      await page.getByLabel('State').selectOption('Unverified')
      await until(isListed)
    },
  ],
  ['a search with many hits', list, find('lind', /^More than 50 users$/)],
  ['a search with one hit', list, find(`${users - 13}@`, /^1 user$/)],
  ['a search without a hit', list, find('lindberg.anna', /^0 users$/)],
]

// In turns: what else the machine does is shared by all.
const waits = new Map<string, number[]>()
for (let round = 0; round < ROUNDS; round++) {
  for (const [what, start, run] of STEPS) {
    await start()
    const startedAt = performance.now()
    await run()
    waits.set(what, [...(waits.get(what) ?? []), performance.now() - startedAt])
  }
}
for (const [what, ms] of waits) {
  const [least, median, most] = [0, 0.5, 1].map((share) => Math.round(percentile(ms, share)))
  console.log(`${what}: ${median} ms (${least} to ${most})`)
}

await browser.close()
await target.stop()
await databases.stop()

async function cursorAt(depth: number): Promise<string> {
  const headers = target.loads.me?.headers?.[0] ?? {}
  let path = '/api/v1/users?limit=100&sort=id'
  for (let seen = 0; seen < depth; seen += 100) {
    const answer = await fetch(url + path, { headers })
    await answer.arrayBuffer()
    path = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? path
    path = path.replace(/^https?:\/\/[^/]*/, '')
  }
  return new URLSearchParams(path.split('?')[1]).get('after') ?? ''
}
