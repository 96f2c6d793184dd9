import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../support/process.ts'
import { startUnread } from '../support/unread.ts'

test('a process whose log nobody reads serves on, and stops when asked to', async () => {
  using folder = temporaryFolder()
  await using unread = await startUnread(folder.path)

  await unread.fillPipe(async (ask) => assert.equal(await ask(), 401))
  await unread.stop()
})
