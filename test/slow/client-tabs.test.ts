import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createClient } from '../../client/index.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import type { Ask, TabAnswer, TabOptions } from '../support/client-tab.ts'
import { fetchWithJar } from '../support/cookie-jar.ts'
import { filesFolder } from '../support/database.ts'
import { PASSWORD } from '../support/service.ts'
import { startShop, tokensOf } from '../support/shop.ts'
import { until } from '../support/until.ts'

const TABS = 20
const AFTER_ACCESS_MS = 31 * MINUTE_MS

for (const withoutLocks of [false, true]) {
  describe(`${TABS} tabs ${withoutLocks ? 'without' : 'with'} Web Locks`, () => {
    test('make of one expired pair one successor, and all go on with it', async () => {
      await using shop = await startShop()
      using folder = temporaryFolder()
      writeFileSync(folder.file, JSON.stringify(tokensOf(await shop.addUser(), 0)))
      await using tabs = await openTabs({
        baseUrl: shop.baseUrl,
        file: folder.file,
        cookie: false,
        withoutLocks,
      })

      for (const rounds of [1, 2]) {
        const answers = await tabs.ask('GET /me')

        assert.ok(answers.every(({ status }) => status === 200))
        assert.ok(answers.every(({ told }) => told.length === 1))
        // Without locks they meet in the grace of the service, which gives them one successor.
        assert.equal(new Set(shop.refreshTokens).size, rounds)
        if (!withoutLocks) assert.equal(shop.refreshTokens.length, rounds)
        shop.advance(AFTER_ACCESS_MS)
      }
    })

    // With one cookie, tabs without locks may present a token that is two behind: the session ends.
    if (withoutLocks) return

    test('with one cookie are signed in by it, and stay so, together', async () => {
      await using shop = await startShop()
      using folder = temporaryFolder()
      const ann = await shop.addUser()
      const fetch = fetchWithJar(folder.file)
      const first = createClient({ baseUrl: shop.baseUrl, cookie: true, fetch })
      await first.logIn({ email: ann.email, password: PASSWORD })
      await using tabs = await openTabs({
        baseUrl: shop.baseUrl,
        file: folder.file,
        cookie: true,
        withoutLocks,
      })

      assert.ok((await tabs.ask('restore')).every(({ signedIn }) => signedIn))
      for (const rounds of [1, 2, 3]) {
        const answers = await tabs.ask('GET /me')

        assert.ok(answers.every(({ status }) => status === 200))
        assert.ok(answers.every(({ told }) => told.length === 1))
        assert.equal(shop.refreshTokens.length, rounds)
        shop.advance(AFTER_ACCESS_MS)
      }

      await first.logOut()
      await until('that all tabs hear of it', async () =>
        (await tabs.ask('restore')).every(({ signedIn }) => !signedIn),
      )
      for (const { told } of await tabs.ask('restore')) assert.deepEqual(told, [true, false])
    })
  })
}

async function openTabs(workerData: TabOptions) {
  const file = new URL('../support/client-tab.ts', import.meta.url)
  const workers = Array.from({ length: TABS }, () => new Worker(file, { workerData }))
  await Promise.all(workers.map((worker) => once(worker, 'online')))
  return {
    ask: (what: Ask) =>
      Promise.all(
        workers.map(async (worker) => {
          const answered = once(worker, 'message')
          worker.postMessage(what)
          const [answer] = await answered
          return answer as TabAnswer
        }),
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function temporaryFolder() {
  const path = mkdtempSync(join(filesFolder(), 'coffee-shop-tabs-'))
  return {
    file: join(path, 'kept'),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  }
}
