import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/cluster.ts'
import { START, startProgram, temporaryFolder } from '../support/process.ts'

const STARTS = 7
const FIRST_ANSWER_MAX_MS = 1000
const IDLE_RSS_MAX_MB = 130
const REQUESTS = 6000

/** Production settings: nothing is set but the port. */
const settings = (port: number) => ({ PORT: String(port), LOG_FORMAT: 'json' })

async function firstAnswer(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.status === 200) return
    await delay(5)
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

test(`the first 200 from /health comes within ${FIRST_ANSWER_MAX_MS} ms, and an idle process is small`, async () => {
  using folder = temporaryFolder()
  const times: number[] = []
  const sizes: number[] = []

  for (let count = 0; count < STARTS; count++) {
    const port = await freePort()
    const startedAt = performance.now()
    await using program = startProgram({ env: settings(port), cwd: folder.path })
    await firstAnswer(`http://127.0.0.1:${port}`)
    times.push(performance.now() - startedAt)
    // One second after it listens, a process gives back what its start left behind.
    await delay(1500)
    const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8')
    sizes.push(Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) / 1024)
  }

  const [firstMs, rssMb] = [median(times), median(sizes)]
  console.log(
    `start to first 200: median ${Math.round(firstMs)} ms of ${times.map(Math.round).join(', ')}; idle RSS: median ${Math.round(rssMb)} MB`,
  )
  assert.ok(firstMs <= FIRST_ANSWER_MAX_MS, `${firstMs} ms`)
  assert.ok(rssMb <= IDLE_RSS_MAX_MB, `${rssMb} MB`)
})

test('a process whose log nobody reads serves on, and stops when asked to', async () => {
  using folder = temporaryFolder()
  const port = await freePort()
  const child = spawn(process.execPath, START, {
    cwd: folder.path,
    env: { PATH: process.env['PATH'], ...settings(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    await firstAnswer(`http://127.0.0.1:${port}`)
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        get({ port, path: '/api/v1/me', agent }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
        }).once('error', reject)
      })

    // Far more than the pipe and the MiB of the output hold.
    let slowestMs = 0
    for (let count = 0; count < REQUESTS; count++) {
      const askedAt = performance.now()
      assert.equal(await ask(), 401)
      slowestMs = Math.max(slowestMs, performance.now() - askedAt)
    }
    agent.destroy()
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const rssMb = Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) / 1024
    child.kill('SIGTERM')
    const stopped = await Promise.race([ended.then(() => true), delay(6000, false)])

    console.log(
      `log unread: slowest answer ${Math.round(slowestMs)} ms, RSS ${Math.round(rssMb)} MB`,
    )
    assert.ok(slowestMs < 1000, `${slowestMs} ms`)
    assert.ok(rssMb < 2 * IDLE_RSS_MAX_MB, `${rssMb} MB`)
    assert.ok(stopped, 'still runs six seconds after SIGTERM')
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})
