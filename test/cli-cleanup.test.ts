import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimSlot } from '../server/jobs/job-runs.ts'
import { HOUR_MS, toIso } from '../server/lib/units.ts'
import { runProgram } from './support/process.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { SETTINGS, startService } from './support/service.ts'

/** A service whose clock is that of the command, with three users too old, one young, one verified. */
async function startWithUsers() {
  const service = await startService({}, { nowMs: Date.now() })
  const { ctx } = service
  const past = (hours: number) => ({ createdAtMs: Date.now() - hours * HOUR_MS })
  await seedUsers(ctx, 3, past(49))
  await seedUsers(ctx, 1, past(47))
  await seedUsers(ctx, 1, { ...past(49), verified: true })
  const env = { ...SETTINGS, DATABASE_URL: service.databaseUrl }
  return {
    ctx,
    clean: (...args: string[]) => runProgram(['cleanup', ...args], { env }),
    count: async () => (await rowsOf(ctx, 'users')).length,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

describe('cleanup', () => {
  test('--dry-run counts and lists the ids, and deletes nobody', async () => {
    await using program = await startWithUsers()

    const { exitCode, stdout, stderr } = await program.clean('--dry-run')

    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout, '1\n2\n3\n')
    assert.match(stderr, /^3 users would be deleted\.$/m)
    assert.equal(await program.count(), 5)
    assert.deepEqual(await rowsOf(program.ctx, 'job_runs'), [])
  })

  test('deletes them, says how many, and leaves an audit event', async () => {
    await using program = await startWithUsers()

    const { exitCode, stdout, stderr } = await program.clean()

    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout, 'Deleted 3 users.\n')
    assert.equal(await program.count(), 2)
    const [event] = await rowsOf(program.ctx, 'audit_events')
    assert.equal(event.event, 'users.cleaned_up')
    assert.equal(JSON.parse(event.changes).deleted, 3)
  })

  test('refuses more than 1 000 and half of all, --force does it, --dry-run lists them all', async () => {
    await using program = await startWithUsers()
    await seedUsers(program.ctx, 1200, { createdAtMs: Date.now() - 49 * HOUR_MS })

    const refused = await program.clean()
    const afterRefusal = await program.count()
    const dry = await program.clean('--dry-run')
    const forced = await program.clean('--force')

    assert.equal(refused.exitCode, 1)
    assert.match(refused.stderr, /1203 of 1205 users would be deleted.*--force/)
    assert.equal(afterRefusal, 1205)
    assert.equal(new Set(dry.stdout.trim().split('\n')).size, 1203)
    assert.equal(forced.stdout, 'Deleted 1203 users.\n', forced.stderr)
    assert.equal(await program.count(), 2)
  })

  test('1 while a run is held elsewhere', async () => {
    await using program = await startWithUsers()
    const nowMs = Date.now()
    const run = { name: 'clean-up', slot: toIso(nowMs - HOUR_MS), nowMs }
    await program.ctx.transaction((tx) => claimSlot(tx, run))

    const { exitCode, stderr } = await program.clean()

    assert.equal(exitCode, 1)
    assert.match(stderr, /running already/)
    assert.equal(await program.count(), 5)
  })

  test('2 for what it does not know', async () => {
    await using program = await startWithUsers()

    for (const args of [['--all'], ['now']]) {
      const { exitCode, stderr } = await program.clean(...args)
      assert.equal(exitCode, 2)
      assert.match(stderr, /usage: npm run cli -- cleanup/)
    }
    assert.equal(await program.count(), 5)
  })
})
